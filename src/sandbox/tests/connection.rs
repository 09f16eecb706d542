//! Faults of the connection: answers that come late, in part or never.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{JSON, PATH, options, order, post, request, send, spoiled};
use crate::sandbox::{Options, STOP_BOUND, Sandbox};

#[tokio::test]
async fn a_reset_is_a_reset_before_or_after_the_deed() {
    for (fault, accepted) in [("reset", 0), ("reset-after", 1)] {
        let (sandbox, answer) = spoiled(fault).await;
        assert_eq!(
            answer.err().map(|error| error.kind()),
            Some(io::ErrorKind::ConnectionReset),
            "{fault}"
        );
        let ledger = sandbox.ledger();
        assert_eq!(
            (ledger.times_accepted("1234"), ledger.requests()),
            (accepted, 1),
            "{fault}"
        );
        assert!(ledger.statuses().is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn a_truncated_answer_promises_more_than_comes() {
    let (sandbox, answer) = spoiled("truncate").await;
    let answer = answer.unwrap();
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, promised / 2));
    assert_eq!(sandbox.ledger().times_accepted("1234"), 1);
}

#[tokio::test]
async fn a_slow_answer_is_whole_and_late() {
    let sandbox = Sandbox::start(Options {
        slow_by: Duration::from_millis(60),
        ..options(&["slow"])
    })
    .await
    .unwrap();
    let start = Instant::now();
    assert_eq!(post(&sandbox, &order("1")).await.json()["data"]["id"], "1");
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn silence_lasts_until_the_sandbox_stops_which_is_soon() {
    let sandbox = Sandbox::start(options(&["silent"])).await.unwrap();
    let body = order("1").to_string();
    let asked = timeout(Duration::from_millis(60), send(&sandbox, JSON, &body)).await;
    assert!(asked.is_err());
    assert_eq!(
        (
            sandbox.ledger().requests(),
            sandbox.ledger().times_accepted("1")
        ),
        (1, 0)
    );

    assert!(rest_at_stop(sandbox, "2").await.is_err());
}

#[tokio::test]
async fn a_slow_answer_comes_when_the_sandbox_stops() {
    let sandbox = Sandbox::start(Options {
        slow_by: Duration::from_mins(1),
        ..options(&["slow"])
    })
    .await
    .unwrap();
    let answer = rest_at_stop(sandbox, "2").await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("}}"),
        "{answer}"
    );
}

/// What an order gets that is still without an answer when the sandbox stops, which takes it no time.
async fn rest_at_stop(sandbox: Sandbox, id: &str) -> io::Result<String> {
    let mut waiting = TcpStream::connect(sandbox.address).await?;
    let headers = format!("authorization: Bearer t\r\ncontent-type: {JSON}\r\n");
    let request = request("POST", PATH, &headers, &order(id).to_string());
    waiting.write_all(&request).await?;
    while sandbox.ledger().seen(id) == 0 {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    sandbox.stop().await;
    assert!(start.elapsed() < STOP_BOUND / 2, "{:?}", start.elapsed());
    let mut text = String::new();
    waiting.read_to_string(&mut text).await?;
    Ok(text)
}

#[tokio::test]
async fn an_outage_resets_everyone_and_ends() {
    let sandbox = Sandbox::start(Options {
        outages: vec![(Duration::ZERO, Duration::from_millis(400))],
        ..options(&[])
    })
    .await
    .unwrap();
    let body = order("1").to_string();
    assert!(send(&sandbox, JSON, &body).await.is_err());
    assert_eq!(sandbox.ledger().requests(), 0);
    tokio::time::sleep(Duration::from_millis(410)).await;
    assert_eq!(post(&sandbox, &order("1")).await.status, 200);
}

#[tokio::test]
async fn an_outage_reaches_connections_that_are_open() {
    let sandbox = Sandbox::start(Options {
        outages: vec![(Duration::from_millis(80), Duration::from_mins(1))],
        ..options(&[])
    })
    .await
    .unwrap();
    let mut open = TcpStream::connect(sandbox.address).await.unwrap();
    let ended = timeout(Duration::from_secs(5), open.read_to_end(&mut Vec::new())).await;
    assert_eq!(
        ended.unwrap().unwrap_err().kind(),
        io::ErrorKind::ConnectionReset
    );
}

#[tokio::test]
async fn http_2_is_spoken_and_a_reset_spares_its_neighbours() {
    // What is not reset is slow, so that it is still under way when its neighbours are.
    let sandbox = Sandbox::start(Options {
        slow_by: Duration::from_millis(200),
        ..options(&["reset=50%", "slow"])
    })
    .await
    .unwrap();
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .no_proxy()
        .build()
        .unwrap();
    let mut sent = Vec::new();
    for id in 0..12 {
        let call = client
            .post(format!("{}{PATH}", sandbox.url()))
            .bearer_auth("t")
            .header("content-type", JSON);
        sent.push(tokio::spawn(
            call.body(order(&id.to_string()).to_string()).send(),
        ));
    }
    let mut answered = 0;
    for call in sent {
        if let Ok(answer) = call.await.unwrap() {
            assert_eq!(
                (answer.version(), answer.status().as_u16()),
                (reqwest::Version::HTTP_2, 200)
            );
            answered += 1;
        }
    }
    assert!((1..12).contains(&answered), "{answered}");
    assert_eq!(sandbox.ledger().total_accepted(), answered);
}
