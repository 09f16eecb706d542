//! A server that does to its requests whatever a network, a proxy or a broken server can do, over TLS and byte by byte.
//!
//! Owns its own book of what arrived and what it accepted. It shares nothing with the simulated API.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::{
    account::Server,
    form::Dice,
    tls::{Authority, Shown},
    world::TOKEN,
};

/// What befalls a connection before any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    Shut,
    Noise,
    Silent,
    Bad(Shown),
}

/// What befalls a request over HTTP/1.1. Those in the second half accept it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    ResetBeforeTheBody,
    ResetInTheBody,
    CloseWithoutAWord,
    Silent,
    EndlessHeaders,
    LongHeader,
    NoStatus,
    Garbage,
    Html,
    InvalidUtf8,
    HugeBody,
    HugeChunks,
    Redirect(u16),
    NoContent,
    ControlCharacters,
    TokenComesBack,
    WrongLengthOf503,
    ResetAfterAccepting,
    SilentAfterAccepting,
    CutAfterAccepting,
    LengthTooLong,
    LengthTooShort,
    TwoLengths,
    ByteByByte,
    DripsForEver,
    WrongContentType,
    Empty,
    Informational,
    ChunksWithoutEnd,
}

pub const FAULTS: [Fault; 30] = [
    Fault::ResetBeforeTheBody,
    Fault::ResetInTheBody,
    Fault::CloseWithoutAWord,
    Fault::Silent,
    Fault::EndlessHeaders,
    Fault::LongHeader,
    Fault::NoStatus,
    Fault::Garbage,
    Fault::Html,
    Fault::InvalidUtf8,
    Fault::HugeBody,
    Fault::HugeChunks,
    Fault::Redirect(302),
    Fault::Redirect(307),
    Fault::NoContent,
    Fault::ControlCharacters,
    Fault::TokenComesBack,
    Fault::WrongLengthOf503,
    Fault::ResetAfterAccepting,
    Fault::SilentAfterAccepting,
    Fault::CutAfterAccepting,
    Fault::LengthTooLong,
    Fault::LengthTooShort,
    Fault::TwoLengths,
    Fault::ByteByByte,
    Fault::DripsForEver,
    Fault::WrongContentType,
    Fault::Empty,
    Fault::Informational,
    Fault::ChunksWithoutEnd,
];

/// The server's own account.
#[derive(Debug, Default)]
pub struct Book {
    media: Mutex<HashMap<String, (u32, Vec<Value>)>>,
    /// Faults that befell a request or a connection, by name.
    befallen: Mutex<HashMap<String, usize>>,
    /// The most bytes that were taken of one answer.
    pub taken: AtomicUsize,
    /// Connections to where a redirect points.
    pub strays: AtomicUsize,
    /// Requests without the token, or with another.
    pub tokenless: AtomicUsize,
}

impl Server for Book {
    fn seen(&self, id: &str) -> u32 {
        self.media
            .lock()
            .unwrap()
            .get(id)
            .map_or(0, |entry| entry.0)
    }

    fn accepted(&self, id: &str) -> Vec<Value> {
        self.media
            .lock()
            .unwrap()
            .get(id)
            .map(|entry| entry.1.clone())
            .unwrap_or_default()
    }
}

impl Book {
    /// A request arrived. Returns the how-many-th of its media it is.
    pub fn see(&self, id: &str) -> u32 {
        let mut media = self.media.lock().unwrap();
        let seen = &mut media.entry(id.to_owned()).or_default().0;
        *seen += 1;
        *seen
    }

    pub fn accept(&self, body: &Value) {
        let id = body["id"].as_str().unwrap();
        self.media
            .lock()
            .unwrap()
            .entry(id.to_owned())
            .or_default()
            .1
            .push(body.clone());
    }

    pub fn befall(&self, what: impl std::fmt::Debug) {
        *self
            .befallen
            .lock()
            .unwrap()
            .entry(format!("{what:?}"))
            .or_default() += 1;
    }

    /// How many faults befell requests and connections, and how many kinds there were.
    pub fn faults(&self) -> (usize, usize) {
        let befallen = self.befallen.lock().unwrap();
        (befallen.values().sum(), befallen.len())
    }

    pub fn took(&self, bytes: usize) {
        self.taken.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// A server that goes on until it is dropped.
pub struct Hostile {
    pub port: u16,
    pub book: Arc<Book>,
    _serving: JoinSet<()>,
}

impl Hostile {
    /// Serves over TLS. Of the first requests of an item so many in ten are befallen, of the second half as many, then none.
    pub async fn start(authority: &Authority, in_ten: usize, dice: Dice) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let elsewhere = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (port, stray) = (
            listener.local_addr().unwrap().port(),
            elsewhere.local_addr().unwrap().port(),
        );
        let book = Arc::new(Book::default());
        let good = authority.acceptor(Shown::Good, "http/1.1");
        let bad = [Shown::OtherHost, Shown::Unknown, Shown::Expired]
            .map(|shown| (shown, authority.acceptor(shown, "http/1.1")));
        let mut serving = JoinSet::new();
        let strays = book.clone();
        serving.spawn(async move {
            while elsewhere.accept().await.is_ok() {
                strays.strays.fetch_add(1, Ordering::Relaxed);
            }
        });
        let known = book.clone();
        let mut doors = dice.another(999);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let door = match doors.below(if in_ten == 0 { 1 } else { 40 }) {
                    1 => Door::Shut,
                    2 => Door::Noise,
                    3 => Door::Silent,
                    4 => Door::Bad(Shown::OtherHost),
                    5 => Door::Bad(Shown::Unknown),
                    6 => Door::Bad(Shown::Expired),
                    _ => Door::Open,
                };
                if door != Door::Open {
                    known.befall(door);
                }
                let (book, dice) = (known.clone(), dice.clone());
                let acceptor = match door {
                    Door::Bad(shown) => bad
                        .iter()
                        .find(|(kind, _)| *kind == shown)
                        .unwrap()
                        .1
                        .clone(),
                    _ => good.clone(),
                };
                connections.spawn(async move {
                    let _ = stream.set_nodelay(true);
                    match door {
                        Door::Shut => reset(&stream),
                        Door::Noise => {
                            let mut stream = stream;
                            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await;
                        }
                        Door::Silent => sleep(Duration::from_secs(60)).await,
                        Door::Open | Door::Bad(_) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                let _ = serve(stream, &book, in_ten, dice, stray).await;
                            }
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            port,
            book,
            _serving: serving,
        }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

type Tls = tokio_rustls::server::TlsStream<TcpStream>;

/// Serves requests on one connection until it is broken.
async fn serve(
    mut stream: Tls,
    book: &Book,
    in_ten: usize,
    dice: Dice,
    stray: u16,
) -> io::Result<()> {
    loop {
        let (head, mut rest) = read_head(&mut stream).await?;
        let length = header(&head, "content-length")
            .and_then(|text| text.parse::<usize>().ok())
            .unwrap_or(0);
        if header(&head, "authorization") != Some(&format!("Bearer {TOKEN}")) {
            book.tokenless.fetch_add(1, Ordering::Relaxed);
        }
        if !head.starts_with("POST ") {
            // Who the account is: nobody that this server knows.
            stream
                .write_all(whole("404 Not Found", JSON, "{}").as_bytes())
                .await?;
            continue;
        }
        // Before the body is read nobody knows whose request it is: the head's length is as good a die as any.
        let mut early = dice.another(book.faults().0 + length);
        if in_ten > 0 && early.below(60) < 2 {
            let fault = [Fault::ResetBeforeTheBody, Fault::ResetInTheBody][early.below(2)];
            book.befall(fault);
            if fault == Fault::ResetInTheBody && rest.len() < length / 2 {
                let mut half = vec![0; length / 2 - rest.len()];
                stream.read_exact(&mut half).await?;
            }
            reset(stream.get_ref().0);
            return Ok(());
        }
        while rest.len() < length {
            if stream.read_buf(&mut rest).await? == 0 {
                return Ok(());
            }
        }
        let body: Value = serde_json::from_slice(&rest[..length]).unwrap();
        let id = body["id"].as_str().unwrap().to_owned();
        let turn = book.see(&id);
        let mut dice = dice.another(
            usize::try_from(id.parse::<u64>().unwrap() % 1_000_003 * 7 + u64::from(turn)).unwrap(),
        );
        let share = match turn {
            1 => in_ten,
            2 => in_ten / 2,
            _ => 0,
        };
        let fault = (dice.below(10) < share).then(|| dice.one(&FAULTS[2..]));
        if let Some(fault) = fault {
            book.befall(fault);
        }
        let goes_on = answer(&mut stream, book, &body, fault, stray).await?;
        if !goes_on {
            if matches!(fault, Some(Fault::ResetAfterAccepting)) {
                reset(stream.get_ref().0);
            }
            return Ok(());
        }
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn accepted(body: &Value) -> String {
    serde_json::json!({"data": {"id": body["id"], "associated_metadata": body["metadata"]}})
        .to_string()
}

fn whole(status: &str, kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

const JSON: &str = "application/json; charset=utf-8";

/// Answers one request, or doesn't. Returns whether the connection goes on.
#[expect(clippy::too_many_lines, reason = "an arm a fault")]
async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    book: &Book,
    body: &Value,
    fault: Option<Fault>,
    stray: u16,
) -> io::Result<bool> {
    let good = accepted(body);
    let accepts = matches!(
        fault,
        None | Some(
            Fault::ResetAfterAccepting
                | Fault::SilentAfterAccepting
                | Fault::CutAfterAccepting
                | Fault::LengthTooLong
                | Fault::LengthTooShort
                | Fault::TwoLengths
                | Fault::ByteByByte
                | Fault::DripsForEver
                | Fault::WrongContentType
                | Fault::Empty
                | Fault::Informational
                | Fault::ChunksWithoutEnd
        )
    );
    if accepts {
        book.accept(body);
    }
    let Some(fault) = fault else {
        stream
            .write_all(whole("200 OK", JSON, &good).as_bytes())
            .await?;
        return Ok(true);
    };
    let text = match fault {
        Fault::ResetBeforeTheBody
        | Fault::ResetInTheBody
        | Fault::CloseWithoutAWord
        | Fault::ResetAfterAccepting => return Ok(false),
        Fault::Silent | Fault::SilentAfterAccepting => {
            sleep(Duration::from_secs(60)).await;
            return Ok(false);
        }
        Fault::EndlessHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            return pour(
                stream,
                book,
                b"x-more: and more and more and more and more\r\n",
            )
            .await;
        }
        Fault::LongHeader => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-long: ").await?;
            return pour(stream, book, &[b'a'; 4_096]).await;
        }
        Fault::NoStatus => "HTTP/1.1 OK\r\n\r\n".to_owned(),
        Fault::Garbage => "\u{1}\u{2}\u{3} what is this\r\n\r\n".to_owned(),
        Fault::Html => whole(
            "502 Bad Gateway",
            "text/html",
            "<html><body><h1>502</h1></body></html>",
        ),
        Fault::InvalidUtf8 => {
            stream
                .write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"data\":\"\xff\xfe\x80\"}",
                )
                .await?;
            return Ok(true);
        }
        Fault::HugeBody => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n{\"data\":\"")
                .await?;
            return pour(stream, book, &[b'a'; 16_384]).await;
        }
        Fault::HugeChunks => {
            stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ntransfer-encoding: chunked\r\n\r\n")
                .await?;
            let chunk = [b"4000\r\n".as_slice(), &[b' '; 16_384], b"\r\n"].concat();
            return pour(stream, book, &chunk).await;
        }
        Fault::Redirect(status) => format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: http://127.0.0.1:{stray}/2/media/metadata\r\ncontent-length: 0\r\n\r\n"
        ),
        Fault::NoContent => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
        Fault::ControlCharacters => whole(
            "400 Bad Request",
            JSON,
            "{\"type\":\"https://api.x.com/2/problems/invalid-request\",\"detail\":\"\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m red \\u202e\"}",
        ),
        Fault::TokenComesBack => whole(
            "403 Forbidden",
            JSON,
            &format!(
                "{{\"type\":\"https://api.x.com/2/problems/not-authorized-for-resource\",\"detail\":\"Bearer {TOKEN} may not\"}}"
            ),
        ),
        Fault::WrongLengthOf503 => {
            stream
                .write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 5000\r\n\r\nbusy")
                .await?;
            return Ok(false);
        }
        Fault::CutAfterAccepting => {
            let text = whole("200 OK", JSON, &good);
            stream
                .write_all(&text.as_bytes()[..text.len() - good.len() / 2])
                .await?;
            stream.flush().await?;
            return Ok(false);
        }
        Fault::LengthTooLong => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                good.len() + 100
            );
            stream.write_all((head + &good).as_bytes()).await?;
            return Ok(false);
        }
        Fault::LengthTooShort => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n",
                good.len() - 10
            );
            stream.write_all((head + &good).as_bytes()).await?;
            return Ok(false);
        }
        Fault::TwoLengths => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\ncontent-length: 3\r\n\r\n",
                good.len()
            );
            stream.write_all((head + &good).as_bytes()).await?;
            return Ok(false);
        }
        Fault::ByteByByte => {
            for byte in whole("200 OK", JSON, &good).as_bytes() {
                stream.write_all(&[*byte]).await?;
                stream.flush().await?;
                sleep(Duration::from_micros(300)).await;
            }
            return Ok(true);
        }
        Fault::DripsForEver => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\n")
                .await?;
            for _ in 0..1_000 {
                stream.write_all(b" ").await?;
                stream.flush().await?;
                sleep(Duration::from_millis(50)).await;
            }
            return Ok(false);
        }
        Fault::WrongContentType => whole("200 OK", "image/png", &good),
        Fault::Empty => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
        Fault::Informational => {
            "HTTP/1.1 100 Continue\r\n\r\n".repeat(5) + &whole("200 OK", JSON, &good)
        }
        Fault::ChunksWithoutEnd => {
            let text = format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{good}\r\n",
                good.len()
            );
            stream.write_all(text.as_bytes()).await?;
            return Ok(false);
        }
    };
    stream.write_all(text.as_bytes()).await?;
    Ok(true)
}

/// Pours a hundred megabytes, or as much as is taken.
async fn pour(
    stream: &mut (impl AsyncWrite + Unpin),
    book: &Book,
    piece: &[u8],
) -> io::Result<bool> {
    let mut poured = 0;
    while poured < 100 << 20 {
        let written = stream.write_all(piece).await;
        poured += piece.len();
        book.took(poured);
        written?;
    }
    Ok(false)
}
