//! The promises.

fn main() {}
