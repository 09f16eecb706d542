//! The header of a manifest: what each column means, or each key of a JSON line.
//!
//! Owns the resolving of a whole header, done once for a file. What a single name means stands in [`super::target`].

use std::collections::BTreeSet;

use super::{
    Options,
    error::{Error, NamedColumn},
    target::{Target, fields, normal, short},
};

/// The column by which a report of altfill is known.
pub(super) const REPORT: &str = "altfill_report";
/// The columns that a report adds: in a report that comes back they are dropped.
const ADDED: [&str; 6] = [REPORT, "cause", "detail", "hint", "source", "line"];

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Its header as it is written.
    pub(super) header: String,
    /// What it supplies.
    pub(super) target: Target,
    /// Whether its header alone says so: if not, no report could write its cells again from the item.
    pub(super) by_name: bool,
}

/// The columns of a file.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// In the order of the file, the dropped ones too.
    pub(super) all: Vec<Column>,
    /// Whether it is a report of altfill that comes back.
    pub(super) is_report: bool,
}

/// What one header means under these options, with whether by its name alone.
pub(super) fn target(header: &str, options: &Options) -> Result<(Target, bool), Error> {
    let name = normal(header);
    if is_ignored(&name, options) {
        return Ok((Target::Carried, true));
    }
    let own = Target::of(header);
    for (field, mapped) in &options.map {
        if normal(mapped) == name {
            let target = mapped_field(field, mapped)?;
            let by_name = target == own;
            return Ok((target, by_name));
        }
    }
    Ok((own, true))
}

fn is_ignored(name: &str, options: &Options) -> bool {
    options.ignore.iter().any(|ignored| normal(ignored) == name)
}

fn mapped_field(field: &str, header: &str) -> Result<Target, Error> {
    match Target::of(field) {
        Target::Carried | Target::Account | Target::Dropped => Err(Error::NoSuchField {
            field: field.to_owned(),
            header: header.to_owned(),
        }),
        target => Ok(target),
    }
}

/// Whether a name is one of those that a report adds.
pub(super) fn is_added(header: &str) -> bool {
    ADDED.contains(&normal(header).as_str())
}

/// Resolves a header row that stands on `line` of `file`.
pub(super) fn resolve(
    headers: &[&str],
    options: &Options,
    file: &str,
    line: u64,
) -> Result<Columns, Error> {
    let is_report = headers.iter().any(|header| normal(header) == REPORT);
    let mut columns = Columns {
        all: Vec::with_capacity(headers.len()),
        is_report,
    };
    for header in headers {
        let (target, by_name) = if is_report && is_added(header) {
            (Target::Dropped, true)
        } else {
            target(header, options)?
        };
        columns.all.push(Column {
            header: (*header).to_owned(),
            target,
            by_name,
        });
    }
    refuse_twice(&columns, file, line)?;
    refuse_unmatched(&columns, options, file, line)?;
    let near = near_misses(&columns, options);
    if !columns.all.iter().any(|column| column.target.is_id()) {
        return Err(Error::NoIdColumn {
            file: file.to_owned(),
            line,
            cure: id_cure(&columns),
        });
    }
    if near.is_empty() {
        Ok(columns)
    } else {
        Err(Error::NearMisses {
            file: file.to_owned(),
            line,
            columns: near,
        })
    }
}

fn refuse_twice(columns: &Columns, file: &str, line: u64) -> Result<(), Error> {
    for (second, column) in columns.all.iter().enumerate() {
        if matches!(column.target, Target::Carried | Target::Dropped) {
            continue;
        }
        let before = &columns.all[..second];
        if let Some(first) = before
            .iter()
            .position(|other| other.target == column.target)
        {
            let named = |position: usize| {
                Box::new(NamedColumn {
                    column: position + 1,
                    header: columns.all[position].header.clone(),
                    field: column.target.name().to_owned(),
                })
            };
            return Err(Error::SameColumnTwice {
                file: file.to_owned(),
                line,
                first: named(first),
                second: named(second),
            });
        }
    }
    Ok(())
}

/// A mapping that matches no column is a slip, unless the field is there by its own name.
fn refuse_unmatched(
    columns: &Columns,
    options: &Options,
    file: &str,
    line: u64,
) -> Result<(), Error> {
    for (field, header) in &options.map {
        let wanted = mapped_field(field, header)?;
        if !columns.all.iter().any(|column| column.target == wanted) {
            let names: Vec<_> = columns
                .all
                .iter()
                .map(|column| column.header.as_str())
                .collect();
            return Err(Error::NoSuchHeader {
                file: file.to_owned(),
                line,
                field: field.clone(),
                header: header.clone(),
                columns: names.join(", "),
            });
        }
    }
    Ok(())
}

fn near_misses(columns: &Columns, options: &Options) -> Vec<NamedColumn> {
    let supplied = supplied(columns.all.iter().map(|column| &column.target));
    columns
        .all
        .iter()
        .enumerate()
        .filter(|(_, column)| column.target == Target::Carried)
        .filter_map(|(position, column)| {
            Some(NamedColumn {
                column: position + 1,
                header: column.header.clone(),
                field: near_miss(&column.header, &supplied, options)?,
            })
        })
        .collect()
}

/// The names of the fields among some targets: as few as there are fields, however many columns there are.
pub(super) fn supplied<'a>(targets: impl Iterator<Item = &'a Target>) -> BTreeSet<&'a str> {
    targets
        .map(Target::name)
        .filter(|name| !name.is_empty())
        .collect()
}

/// The field that a header nearly names and that none of `supplied` is, unless the header is to be ignored.
pub(super) fn near_miss(
    header: &str,
    supplied: &BTreeSet<&str>,
    options: &Options,
) -> Option<String> {
    /// How many slips of the pen are near.
    const NEAR: usize = 2;
    let name = normal(header);
    if is_ignored(&name, options) {
        return None;
    }
    let length = name.chars().count();
    fields()
        .iter()
        // As many slips are needed at least; a header may be long, and the distance is dear.
        .filter(|field| field.len().abs_diff(length) <= NEAR)
        .filter(|field| !supplied.contains(short(field)))
        .map(|field| (strsim::osa_distance(&name, field), field))
        .filter(|(distance, _)| *distance <= NEAR)
        .min()
        .map(|(_, field)| short(field).to_owned())
}

/// What to do about a header without a column for the id.
fn id_cure(columns: &Columns) -> String {
    let looks_like_data = columns.all.iter().any(|column| {
        column.header.len() >= 15 && column.header.bytes().all(|byte| byte.is_ascii_digit())
    });
    if looks_like_data {
        return "This row looks like data: put a header row such as media_id,alt_text in front of it".to_owned();
    }
    let near = columns.all.iter().find_map(|column| {
        let name = normal(&column.header);
        ["media_id", "media_url"]
            .into_iter()
            .find(|id| strsim::osa_distance(id, &name) <= 2)
            .map(|id| format!(" Did you mean {id} by {:?}?", column.header))
    });
    format!(
        "Call the column of media ids media_id, or one of the images' addresses (https://pbs.twimg.com/media/…) media_url; \
         or say which it is: --map media_id=HEADER.{} A media id is what X answered to the upload, or the digits behind the _ of a media key",
        near.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(headers: &[&str], options: &Options) -> Result<Vec<String>, Error> {
        resolve(headers, options, "m.csv", 1).map(|columns| {
            columns
                .all
                .iter()
                .map(|column| column.target.name().to_owned())
                .collect()
        })
    }

    #[test]
    fn a_column_that_is_nearly_a_field_is_refused_unless_ignored() {
        for header in [
            "alt_txt",
            "Alt-Text ",
            "alttext",
            "sensitive_media_warning.adult_contents",
            "meta_data",
        ] {
            let error = resolved(&["id", header], &Options::default()).unwrap_err();
            assert!(
                matches!(error, Error::NearMisses { .. }),
                "{header}: {error}"
            );
            let options = Options {
                ignore: vec![header.to_owned()],
                ..Options::default()
            };
            assert!(resolved(&["id", header], &options).is_ok());
        }
        // Where the field is supplied, the other is only carried.
        assert!(resolved(&["id", "alt_text", "alt_text2"], &Options::default()).is_ok());
    }

    #[test]
    fn two_columns_for_one_thing_are_refused() {
        for headers in [
            ["id", "alt_text", "alt_text.text"],
            ["id", "media_id", "x"],
            ["id", "Alt Text", "alt_text"],
        ] {
            let error = resolved(&headers, &Options::default()).unwrap_err();
            assert!(matches!(error, Error::SameColumnTwice { .. }), "{error}");
        }
    }

    #[test]
    fn a_mapping_names_the_column_of_a_field() {
        let mut options = Options {
            map: vec![
                ("alt_text".to_owned(), "Beschreibung".to_owned()),
                ("media_id".to_owned(), "Asset".to_owned()),
            ],
            ..Options::default()
        };
        assert_eq!(
            resolved(&["asset", "BESCHREIBUNG"], &options).unwrap(),
            ["media_id", "alt_text"]
        );
        assert!(matches!(
            resolved(&["asset", "Text"], &options),
            Err(Error::NoSuchHeader { .. })
        ));
        options.map[0].0 = "alt".to_owned();
        assert!(matches!(
            resolved(&["asset", "BESCHREIBUNG"], &options),
            Err(Error::NoSuchField { .. })
        ));
    }

    #[test]
    fn a_header_without_ids_names_the_ways_to_get_them() {
        let error = resolved(&["mediaid", "alt_text"], &Options::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("media_url")
                && error.contains("--map")
                && error.contains("Did you mean media_id"),
            "{error}"
        );
        let error = resolved(&["1146654567674912769", "A cat"], &Options::default())
            .unwrap_err()
            .to_string();
        assert!(error.contains("looks like data"), "{error}");
    }

    #[test]
    fn what_a_report_added_is_dropped_only_from_a_report() {
        let columns = resolve(
            &["id", "cause", "altfill_report"],
            &Options::default(),
            "m.csv",
            1,
        )
        .unwrap();
        assert_eq!(columns.all[1].target, Target::Dropped);
        let columns = resolve(&["id", "cause"], &Options::default(), "m.csv", 1).unwrap();
        assert_eq!(columns.all[1].target, Target::Carried);
    }
}
