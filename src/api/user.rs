//! Whom a secret belongs to: `GET /2/users/me`.
//!
//! Owns that one question. It costs more than a request for an item, so whoever asks keeps the answer.

use reqwest::{Method, Request};
use secrecy::SecretString;
use serde::Deserialize;

use super::{
    credentials::Secret,
    http::{Http, Read, Received, authorize, shown},
};

/// A user of X.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id, which never changes.
    pub id: String,
    /// The name behind the @, where it was told.
    pub handle: Option<String>,
}

/// What came of the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookUp {
    /// The user, or why nobody is known.
    pub user: Result<User, String>,
    /// Whether X may charge for it.
    pub is_spent: bool,
    /// Whether the secret was refused.
    pub is_refused: bool,
}

#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    id: String,
    username: Option<String>,
}

/// Asks X whom a secret belongs to.
pub async fn look_up(http: &Http, secret: &Secret) -> LookUp {
    let mut request = Request::new(Method::GET, http.url("/2/users/me"));
    let authorization = secret.authorization(request.method(), request.url());
    let unknown = |why: String, is_spent| LookUp {
        user: Err(why),
        is_spent,
        is_refused: false,
    };
    if let Err(why) = authorize(&mut request, &authorization) {
        return unknown(why, false);
    }
    match http.send(request).await {
        Received::NoConnection(why) => unknown(why, false),
        Received::TimedOut => unknown("no answer in time".to_owned(), true),
        Received::Answer {
            status: 200,
            body: Read::Complete(bytes),
            ..
        } => match serde_json::from_slice::<Answer>(&bytes) {
            Ok(Answer { data }) if is_id(&data.id) => LookUp {
                user: Ok(User {
                    id: data.id,
                    handle: data.username.as_deref().map(shown),
                }),
                is_spent: true,
                is_refused: false,
            },
            _ => unknown("the answer names no user".to_owned(), true),
        },
        Received::Answer {
            status: 200..=299, ..
        } => unknown("the answer is not whole".to_owned(), true),
        Received::Answer { status, .. } => LookUp {
            user: Err(format!("X answered {status}")),
            is_spent: false,
            is_refused: status == 401,
        },
    }
}

/// The same for a token that was just had.
///
/// # Errors
/// Why nobody is known.
pub async fn look_up_bearer(http: &Http, token: &SecretString) -> Result<User, String> {
    look_up(http, &Secret::Bearer(token.clone())).await.user
}

/// Ids of users are numbers of up to 19 digits.
fn is_id(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
