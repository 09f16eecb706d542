//! Sums of what was sent, by account, month and the like, as delimited text or JSON lines.
//!
//! Owns their columns: the dimensions in the order in which they were asked for, then requests, dollars, done, failed.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::{
    journal::{Dimension, Sum},
    manifest::neutralised,
};

const COLUMNS: [&str; 4] = ["requests", "dollars", "done", "failed"];

pub(super) fn write_csv(
    dimensions: &[Dimension],
    sums: &[Sum],
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    let mut table = ::csv::Writer::from_writer(out);
    let header = dimensions.iter().map(|dimension| dimension.word());
    table.write_record(header.chain(COLUMNS))?;
    for sum in sums {
        let of = sum.of.iter().map(|value| neutralised(value).into_owned());
        let numbers = [
            sum.requests.to_string(),
            rounded(sum.dollars).to_string(),
            sum.done.to_string(),
            sum.failed.to_string(),
        ];
        table.write_record(of.chain(numbers))?;
    }
    table.flush()
}

pub(super) fn write_json_lines(
    dimensions: &[Dimension],
    sums: &[Sum],
    out: &mut (dyn Write + Send),
) -> io::Result<()> {
    for sum in sums {
        let of = dimensions.iter().zip(&sum.of);
        let mut line: Map<String, Value> = of
            .map(|(dimension, value)| (dimension.word().to_owned(), json!(value)))
            .collect();
        let numbers = [
            json!(sum.requests),
            json!(rounded(sum.dollars)),
            json!(sum.done),
            json!(sum.failed),
        ];
        line.extend(COLUMNS.map(str::to_owned).into_iter().zip(numbers));
        writeln!(out, "{}", Value::Object(line))?;
    }
    Ok(())
}

/// To a thousandth of a cent: sums such as 3 * 0.005 are no round numbers in binary.
fn rounded(dollars: f64) -> f64 {
    (dollars * 1e5).round() / 1e5
}
