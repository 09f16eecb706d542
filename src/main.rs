//! The altfill command.

fn main() {}
