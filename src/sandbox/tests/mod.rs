//! The sandbox over the wire: what a client sees of it, byte for byte, and what the ledger says of the same.
//!
//! Owns the client, which speaks HTTP/1 by hand: a library would hide how an answer ends.

mod answer;
mod connection;
mod limit;
mod request;
mod seed;

use std::{collections::BTreeMap, io};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Options, Rates, Sandbox};

const PATH: &str = "/2/media/metadata";
const JSON: &str = "application/json";

/// An answer as it came: whole or torn.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    fn problem(&self) -> String {
        self.json()["type"]
            .as_str()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap()
            .to_owned()
    }
}

fn options(faults: &[&str]) -> Options {
    Options {
        rates: Rates::Unlimited,
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        ..Options::default()
    }
}

fn limited(rates: &[&str], faults: &[&str]) -> Options {
    Options {
        rates: Rates::Windows(rates.iter().map(|rate| rate.parse().unwrap()).collect()),
        ..options(faults)
    }
}

fn order(id: &str) -> Value {
    json!({"id": id, "metadata": {"alt_text": {"text": format!("Picture {id}")}}})
}

/// Sends bytes on a connection of their own and reads until it ends.
async fn exchange(sandbox: &Sandbox, request: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(sandbox.address).await?;
    stream.write_all(request).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .unwrap()
        .split(' ')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    let headers = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.into(), value.into()));
    Ok(Answer {
        status,
        headers: headers.collect(),
        body: body.to_owned(),
    })
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

async fn send(sandbox: &Sandbox, kind: &str, body: &str) -> io::Result<Answer> {
    let headers = format!("authorization: Bearer t\r\ncontent-type: {kind}\r\n");
    exchange(sandbox, &request("POST", PATH, &headers, body)).await
}

async fn post(sandbox: &Sandbox, body: &Value) -> Answer {
    send(sandbox, JSON, &body.to_string()).await.unwrap()
}

/// The answer to the order for this media, from a sandbox in which this fault is certain.
async fn spoiled(fault: &str) -> (Sandbox, io::Result<Answer>) {
    let sandbox = Sandbox::start(limited(&["9/15m"], &[fault])).await.unwrap();
    let answer = send(&sandbox, JSON, &order("1234").to_string()).await;
    (sandbox, answer)
}
