//! The rules of a request body: the 13 fields of the published schema, and the lengths that its prose adds.
//!
//! Owns the table, nothing else. It is written from X's contract and shares nothing with the client's own metadata
//! types: a mistake in one of the two shows as a refusal.

use Need::{Optional, Required};
use Shape::{Country, Flag, Id, List, Number, Object, Text, Whole, Word};

/// Whether an object has to have a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}

/// What a value has to look like.
pub(super) enum Shape {
    /// Exactly these fields; others are refused.
    Object(&'static [(&'static str, Need, Shape)]),
    /// So many at least and at most.
    List(&'static Shape, usize, usize),
    /// So many code points at most.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A media id.
    Id,
    /// A country code, `^[a-zA-Z]{2}$`.
    Country,
    Flag,
    Number,
    /// A number of the format `long`.
    Whole,
    /// Two lists of country codes, of which exactly one is empty.
    Geo,
}

const ANY: usize = usize::MAX;
const COUNTRIES: Shape = List(&Country, 0, ANY);
const SUBSCRIPTIONS: Shape = List(&Word(&["Any"]), 0, ANY);

/// The two lists of [`Shape::Geo`].
pub(super) const GEO_LISTS: [&str; 2] = ["whitelisted_country_codes", "blacklisted_country_codes"];

/// Their shapes, before the rule that concerns them both.
pub(super) const GEO: Shape = Object(&[
    (GEO_LISTS[0], Required, COUNTRIES),
    (GEO_LISTS[1], Required, COUNTRIES),
]);

const STICKER: Shape = Object(&[
    ("aspect_ratio", Optional, Number),
    ("group_annotation_id", Optional, Whole),
    ("id", Optional, Text(ANY)),
    ("sticker_set_annotation_id", Optional, Whole),
    ("transform_a", Optional, Number),
    ("transform_b", Optional, Number),
    ("transform_c", Optional, Number),
    ("transform_d", Optional, Number),
    ("transform_tx", Optional, Number),
    ("transform_ty", Optional, Number),
]);

const METADATA: Shape = Object(&[
    (
        "allow_download_status",
        Optional,
        Object(&[("allow_download", Optional, Flag)]),
    ),
    (
        "alt_text",
        Optional,
        Object(&[("text", Required, Text(1_000))]),
    ),
    (
        "audience_policy",
        Optional,
        Object(&[
            ("creator_subscriptions", Optional, SUBSCRIPTIONS),
            ("x_subscriptions", Optional, SUBSCRIPTIONS),
        ]),
    ),
    (
        "content_expiration",
        Optional,
        Object(&[("timestamp_sec", Required, Whole)]),
    ),
    (
        "domain_restrictions",
        Optional,
        Object(&[("whitelist", Required, List(&Text(ANY), 0, ANY))]),
    ),
    (
        "found_media_origin",
        Optional,
        Object(&[("id", Required, Text(24)), ("provider", Required, Text(8))]),
    ),
    ("geo_restrictions", Optional, Shape::Geo),
    (
        "management_info",
        Optional,
        Object(&[("managed", Required, Flag)]),
    ),
    (
        "preview_image",
        Optional,
        Object(&[(
            "media_key",
            Required,
            Object(&[
                ("media", Optional, Id),
                ("media_category", Optional, Word(&["TweetImage"])),
            ]),
        )]),
    ),
    (
        "sensitive_media_warning",
        Optional,
        Object(&[
            ("adult_content", Optional, Flag),
            ("graphic_violence", Optional, Flag),
            ("other", Optional, Flag),
        ]),
    ),
    (
        "shared_info",
        Optional,
        Object(&[("shared", Required, Flag)]),
    ),
    (
        "sticker_info",
        Optional,
        Object(&[("stickers", Required, List(&STICKER, 1, 25))]),
    ),
    (
        "upload_source",
        Optional,
        Object(&[("upload_source", Required, Text(ANY))]),
    ),
]);

/// A whole request body.
pub(super) const BODY: Shape = Object(&[("id", Required, Id), ("metadata", Required, METADATA)]);
