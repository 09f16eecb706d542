//! The same over HTTP/2: what befalls a stream, and what befalls all of them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, server::SendResponse};
use hyper::{Request, Response};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, task::JoinSet, time::sleep};

use crate::{
    form::Dice,
    server::Book,
    tls::{Authority, Shown},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused,
    ResetBefore,
    ResetAfterAccepting,
    ResetInTheAnswer,
    GoAway,
    GoAwayInAnger,
    GoAwayAfterAccepting,
    Silent,
    Huge,
    ManyHeaders,
    CalmDown,
    NotFound,
}

const FAULTS: [Fault; 12] = [
    Fault::Refused,
    Fault::ResetBefore,
    Fault::ResetAfterAccepting,
    Fault::ResetInTheAnswer,
    Fault::GoAway,
    Fault::GoAwayInAnger,
    Fault::GoAwayAfterAccepting,
    Fault::Silent,
    Fault::Huge,
    Fault::ManyHeaders,
    Fault::CalmDown,
    Fault::NotFound,
];

/// A server of HTTP/2 that goes on until it is dropped.
pub struct Hostile2 {
    port: u16,
    pub book: Arc<Book>,
    _serving: JoinSet<()>,
}

/// What a stream asks of its connection.
enum Wish {
    GoAway,
    GoAwayInAnger,
}

impl Hostile2 {
    pub async fn start(authority: &Authority, in_ten: usize, dice: Dice) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let acceptor = authority.acceptor(Shown::Good, "h2");
        let book = Arc::new(Book::default());
        let (known, mut serving) = (book.clone(), JoinSet::new());
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, book, dice) = (acceptor.clone(), known.clone(), dice.clone());
                connections.spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                    let (wish, mut wishes) = mpsc::channel(16);
                    let mut streams = JoinSet::new();
                    loop {
                        tokio::select! {
                            Some(asked) = wishes.recv() => match asked {
                                Wish::GoAway => connection.graceful_shutdown(),
                                Wish::GoAwayInAnger => connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM),
                            },
                            Some(_) = streams.join_next() => {}
                            accepted = connection.accept() => match accepted {
                                Some(Ok((request, respond))) => {
                                    streams.spawn(serve(request, respond, book.clone(), in_ten, dice.clone(), wish.clone()));
                                }
                                _ => return,
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

#[expect(clippy::too_many_lines, reason = "an arm a fault")]
async fn serve(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    book: Arc<Book>,
    in_ten: usize,
    dice: Dice,
    wish: mpsc::Sender<Wish>,
) {
    let mut stream = request.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(data)) = stream.data().await {
        let _ = stream.flow_control().release_capacity(data.len());
        bytes.extend_from_slice(&data);
    }
    let Ok(body) = serde_json::from_slice::<Value>(&bytes) else {
        return;
    };
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
    let fault = (dice.below(10) < share).then(|| dice.one(&FAULTS));
    if let Some(fault) = fault {
        book.befall(("h2", fault));
    }
    let ok = || {
        Response::builder()
            .status(200)
            .header("content-type", "application/json")
    };
    let good =
        serde_json::json!({"data": {"id": body["id"], "associated_metadata": body["metadata"]}})
            .to_string();
    let give = |respond: &mut SendResponse<Bytes>, text: String| {
        if let Ok(mut stream) = respond.send_response(ok().body(()).unwrap(), false) {
            let _ = stream.send_data(Bytes::from(text), true);
        }
    };
    match fault {
        None => {
            book.accept(&body);
            give(&mut respond, good);
        }
        Some(Fault::Refused) => respond.send_reset(Reason::REFUSED_STREAM),
        Some(Fault::ResetBefore) => respond.send_reset(Reason::INTERNAL_ERROR),
        Some(Fault::CalmDown) => respond.send_reset(Reason::ENHANCE_YOUR_CALM),
        Some(Fault::ResetAfterAccepting) => {
            book.accept(&body);
            respond.send_reset(Reason::CANCEL);
        }
        Some(Fault::ResetInTheAnswer) => {
            book.accept(&body);
            if let Ok(mut stream) = respond.send_response(ok().body(()).unwrap(), false) {
                let _ = stream.send_data(Bytes::from(good[..good.len() / 2].to_owned()), false);
                sleep(Duration::from_millis(5)).await;
                stream.send_reset(Reason::INTERNAL_ERROR);
            }
        }
        Some(Fault::GoAway) => {
            let _ = wish.send(Wish::GoAway).await;
            book.accept(&body);
            give(&mut respond, good);
        }
        Some(Fault::GoAwayInAnger) => {
            let _ = wish.send(Wish::GoAwayInAnger).await;
        }
        Some(Fault::GoAwayAfterAccepting) => {
            book.accept(&body);
            let _ = wish.send(Wish::GoAwayInAnger).await;
        }
        Some(Fault::Silent) => sleep(Duration::from_secs(60)).await,
        Some(Fault::Huge) => {
            if let Ok(mut stream) = respond.send_response(ok().body(()).unwrap(), false) {
                let piece = Bytes::from(vec![b'a'; 16_384]);
                for number in 0..6_400 {
                    stream.reserve_capacity(piece.len());
                    let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
                    if !matches!(room, Some(Ok(_)))
                        || stream.send_data(piece.clone(), false).is_err()
                    {
                        return;
                    }
                    book.took(number * piece.len());
                }
            }
        }
        Some(Fault::ManyHeaders) => {
            let mut response = ok();
            for number in 0..2_000 {
                response = response.header(format!("x-{number}"), "and more and more and more");
            }
            if let Ok(mut stream) = respond.send_response(response.body(()).unwrap(), false) {
                let _ = stream.send_data(Bytes::from("{}"), true);
            }
            // Whether its headers are taken is the client's affair; where they are, it is accepted.
            book.accept(&body);
        }
        Some(Fault::NotFound) => {
            let response = Response::builder().status(404).body(()).unwrap();
            if let Ok(mut stream) = respond.send_response(response, false) {
                let text = r#"{"type":"https://api.x.com/2/problems/resource-not-found","title":"Not Found"}"#;
                let _ = stream.send_data(Bytes::from(text), true);
            }
        }
    }
}
