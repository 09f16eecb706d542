//! The schema of `metadata` in `POST /2/media/metadata`, as data: X API v2, `OpenAPI` document 2.166.
//!
//! Owns which members there are, of which kind, and which are required. Both forms of a manifest, the template and the
//! reference are read off this one table. Checks nothing itself.

/// One of the 13 fields of `metadata`: the unit in which rows are laid over each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[expect(
    missing_docs,
    reason = "they are the names of X's schema, explained in FIELDS"
)]
pub enum Field {
    AllowDownloadStatus,
    AltText,
    AudiencePolicy,
    ContentExpiration,
    DomainRestrictions,
    FoundMediaOrigin,
    GeoRestrictions,
    ManagementInfo,
    PreviewImage,
    SensitiveMediaWarning,
    SharedInfo,
    StickerInfo,
    UploadSource,
}

impl Field {
    /// All 13, in the order of the schema.
    pub const ALL: [Self; 13] = [
        Self::AllowDownloadStatus,
        Self::AltText,
        Self::AudiencePolicy,
        Self::ContentExpiration,
        Self::DomainRestrictions,
        Self::FoundMediaOrigin,
        Self::GeoRestrictions,
        Self::ManagementInfo,
        Self::PreviewImage,
        Self::SensitiveMediaWarning,
        Self::SharedInfo,
        Self::StickerInfo,
        Self::UploadSource,
    ];

    /// Its description in the schema.
    #[must_use]
    pub const fn member(self) -> &'static Member {
        &FIELDS[self as usize]
    }

    /// Its name in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.member().name
    }

    /// The field of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// What a value may be.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A point in time in Unix seconds, in the future and before 2100; RFC 3339 with an offset is taken too.
    UnixSeconds,
    /// A whole number that fits in 64 bits.
    Integer,
    /// Any finite number.
    Number,
    /// A text of at most so many Unicode code points.
    Text {
        /// The most code points, where the schema or its prose names a limit.
        at_most: Option<usize>,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A media id: 1 to 19 digits.
    MediaId,
    /// Two letters, ISO 3166-1 alpha-2.
    CountryCode,
    /// A list of `of`, with a number of entries within these bounds.
    List {
        /// What each entry is.
        of: &'static Self,
        /// The fewest entries.
        at_least: usize,
        /// The most entries.
        at_most: usize,
    },
    /// An object with these members and no others.
    Object(&'static [Member]),
}

impl Kind {
    /// What may be written, in words: the kind, and its bounds.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Boolean => "true or false".to_owned(),
            Self::UnixSeconds => {
                "Unix seconds, or RFC 3339 with an offset; in the future, before 2100".to_owned()
            }
            Self::Integer => "a whole number of 64 bits".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Text { at_most: None } => "text".to_owned(),
            Self::Text {
                at_most: Some(most),
            } => format!("text, at most {most} characters"),
            Self::Choice(words) => words.join(" or "),
            Self::MediaId => "a media id: 1 to 19 digits".to_owned(),
            Self::CountryCode => "a country: two letters (ISO 3166-1 alpha-2)".to_owned(),
            Self::Object(_) => "a JSON object".to_owned(),
            Self::List {
                of,
                at_least,
                at_most,
            } => {
                let bounds = match (*at_least, *at_most) {
                    (0, usize::MAX) => String::new(),
                    (least, most) => format!("{least} to {most} "),
                };
                let entries = match of {
                    Self::Text { .. } => "texts".to_owned(),
                    Self::CountryCode => {
                        "countries, two letters each (ISO 3166-1 alpha-2)".to_owned()
                    }
                    Self::Object(_) => "JSON objects".to_owned(),
                    of => of.in_words(),
                };
                format!("a list of {bounds}{entries}")
            }
        }
    }
}

/// A named part of an object.
#[derive(Debug, PartialEq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// Whether the object must have it.
    pub required: bool,
    /// What it is for, in a few words.
    pub about: &'static str,
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member {
        name,
        kind,
        required: true,
        about,
    }
}

const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member {
        name,
        kind,
        required: false,
        about,
    }
}

const fn list(of: &'static Kind) -> Kind {
    Kind::List {
        of,
        at_least: 0,
        at_most: usize::MAX,
    }
}

const TEXT: Kind = Kind::Text { at_most: None };
const SUBSCRIPTION: Kind = Kind::Choice(&["Any"]);

/// The 13 fields, in the order of [`Field`].
pub static FIELDS: [Member; 13] = [
    optional(
        "allow_download_status",
        Kind::Object(&[optional(
            "allow_download",
            Kind::Boolean,
            "whether the media may be downloaded",
        )]),
        "whether people may download it",
    ),
    optional(
        "alt_text",
        Kind::Object(&[required(
            "text",
            Kind::Text {
                at_most: Some(1_000),
            },
            "what the image shows, for those who cannot see it",
        )]),
        "the description read out by screen readers",
    ),
    optional(
        "audience_policy",
        Kind::Object(&[
            optional(
                "creator_subscriptions",
                list(&SUBSCRIPTION),
                "whether subscribers of the creator only may see it",
            ),
            optional(
                "x_subscriptions",
                list(&SUBSCRIPTION),
                "whether subscribers of X only may see it",
            ),
        ]),
        "who may see it",
    ),
    optional(
        "content_expiration",
        Kind::Object(&[required(
            "timestamp_sec",
            Kind::UnixSeconds,
            "when the media expires",
        )]),
        "until when it is shown",
    ),
    optional(
        "domain_restrictions",
        Kind::Object(&[required(
            "whitelist",
            list(&TEXT),
            "the domains on which the media may be shown",
        )]),
        "where on the web it may be shown",
    ),
    optional(
        "found_media_origin",
        Kind::Object(&[
            required(
                "provider",
                Kind::Text { at_most: Some(8) },
                "the provider, such as giphy",
            ),
            required(
                "id",
                Kind::Text { at_most: Some(24) },
                "the provider's id of it",
            ),
        ]),
        "where it was found",
    ),
    optional(
        "geo_restrictions",
        Kind::Object(&[
            required(
                "whitelisted_country_codes",
                list(&Kind::CountryCode),
                "the only countries that may see it",
            ),
            required(
                "blacklisted_country_codes",
                list(&Kind::CountryCode),
                "the countries that may not see it",
            ),
        ]),
        "where on earth it may be seen, by one of two lists",
    ),
    optional(
        "management_info",
        Kind::Object(&[required(
            "managed",
            Kind::Boolean,
            "whether Media Studio manages the media",
        )]),
        "where it is managed",
    ),
    optional(
        "preview_image",
        Kind::Object(&[required(
            "media_key",
            Kind::Object(&[
                optional("media", Kind::MediaId, "the media id of the preview image"),
                optional(
                    "media_category",
                    Kind::Choice(&["TweetImage"]),
                    "what kind of media that is",
                ),
            ]),
            "the image shown before a video plays",
        )]),
        "a video's preview",
    ),
    optional(
        "sensitive_media_warning",
        Kind::Object(&[
            optional("adult_content", Kind::Boolean, "adult material"),
            optional("graphic_violence", Kind::Boolean, "graphic violence"),
            optional("other", Kind::Boolean, "other sensitive content"),
        ]),
        "warnings shown before it",
    ),
    optional(
        "shared_info",
        Kind::Object(&[required(
            "shared",
            Kind::Boolean,
            "whether it is shared in direct messages",
        )]),
        "where it is shared",
    ),
    optional(
        "sticker_info",
        Kind::Object(&[required(
            "stickers",
            Kind::List {
                of: &STICKER,
                at_least: 1,
                at_most: 25,
            },
            "the stickers",
        )]),
        "the stickers that lie over it",
    ),
    optional(
        "upload_source",
        Kind::Object(&[required(
            "upload_source",
            TEXT,
            "the app or device it was uploaded from",
        )]),
        "where the upload came from",
    ),
];

static STICKER: Kind = Kind::Object(&[
    optional("aspect_ratio", Kind::Number, "width to height"),
    optional(
        "group_annotation_id",
        Kind::Integer,
        "id of the annotation group",
    ),
    optional("id", TEXT, "id of the sticker"),
    optional(
        "sticker_set_annotation_id",
        Kind::Integer,
        "id of the sticker set",
    ),
    optional("transform_a", Kind::Number, "scale or rotate on the x-axis"),
    optional("transform_b", Kind::Number, "skew on the x-axis"),
    optional("transform_c", Kind::Number, "skew on the y-axis"),
    optional("transform_d", Kind::Number, "scale or rotate on the y-axis"),
    optional("transform_tx", Kind::Number, "shift on the x-axis"),
    optional("transform_ty", Kind::Number, "shift on the y-axis"),
]);

/// A place in the schema that a column or key of a manifest can name, such as `alt_text.text`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// The field that it is, or lies in.
    pub field: Field,
    /// The member at its end.
    pub member: &'static Member,
    /// How many members deep it lies: 1 is a whole field.
    pub depth: usize,
}

/// The place that a dotted path names; `alt_text` is short for `alt_text.text`.
#[must_use]
pub fn place(path: &str) -> Option<Place> {
    let path = if path == "alt_text" {
        "alt_text.text"
    } else {
        path
    };
    let mut names = path.split('.');
    let field = Field::named(names.next()?)?;
    let mut place = Place {
        field,
        member: field.member(),
        depth: 1,
    };
    for name in names {
        let Kind::Object(members) = &place.member.kind else {
            return None;
        };
        place.member = members.iter().find(|member| member.name == name)?;
        place.depth += 1;
    }
    Some(place)
}

/// The dotted paths of all places that hold a value of their own, in the order of the schema.
#[must_use]
pub fn paths() -> Vec<String> {
    fn walk(member: &Member, prefix: &str, into: &mut Vec<String>) {
        let path = format!("{prefix}{}", member.name);
        match &member.kind {
            Kind::Object(members) => members
                .iter()
                .for_each(|inner| walk(inner, &format!("{path}."), into)),
            _ => into.push(path),
        }
    }
    let mut into = Vec::new();
    for field in &FIELDS {
        walk(field, "", &mut into);
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_fields() {
        for (field, member) in Field::ALL.into_iter().zip(&FIELDS) {
            assert_eq!(field.member(), member);
            assert_eq!(Field::named(member.name), Some(field));
        }
    }

    #[test]
    fn every_path_names_a_place() {
        let paths = paths();
        assert_eq!(paths.len(), 19);
        for path in paths {
            let place = place(&path).unwrap();
            assert_eq!(place.depth, path.split('.').count(), "{path}");
        }
        assert_eq!(place("alt_text"), place("alt_text.text"));
        assert_eq!(place("preview_image.media_key").unwrap().depth, 2);
        for wrong in [
            "",
            "alt",
            "alt_text.txt",
            "alt_text.text.more",
            "metadata",
            "alt_text.",
        ] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}
