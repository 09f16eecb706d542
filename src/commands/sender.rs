//! Who sends: the credentials of a run, and whose they are.
//!
//! Owns the one look-up of the user, which is made only when something is due and nobody knows yet whose the token is. It
//! costs money, so its answer is kept with the profile. A run goes on where it does not answer.

use std::sync::Arc;

use crate::{
    api::{Client, Credentials, Http, Source, TOKEN_TIMEOUT, look_up},
    error::Failure,
    journal::{DEFAULT_ACCOUNT, Whose},
    progress::say,
    runner::{Answered, Api, NoToken},
    settings::RunSettings,
    time::Timestamp,
};

/// What X charges for telling whose a token is, in dollars.
const LOOK_UP: f64 = 0.010;

/// The sender of a run.
pub struct Sender<'s> {
    /// What was meant.
    pub settings: &'s RunSettings,
    /// The account's row, once it was found.
    pub account: i64,
    /// Whose items it sends, as far as that is known.
    pub whose: Whose,
    /// Dollars that look-ups of the user cost in this run.
    pub dollars: f64,
    /// The token that X refused meanwhile, by its number, where no later one was accepted.
    pub refused: Option<u32>,
    credentials: Option<Result<Arc<Credentials>, Failure>>,
}

impl<'s> Sender<'s> {
    /// As far as it is known without a request, and without a secret.
    pub fn new(settings: &'s RunSettings) -> Self {
        Self {
            settings,
            account: DEFAULT_ACCOUNT,
            whose: settings.access.whose(),
            dollars: 0.0,
            refused: None,
            credentials: None,
        }
    }

    /// Makes sure whose the credentials are, before something is sent with them: by a look-up where that is not known
    /// and `budget` allows it. What is wrong with them is told by [`credentials`](Self::credentials).
    pub async fn identify(&mut self, budget: Option<f64>) {
        if self.settings.rehearsal.is_some() {
            return;
        }
        let loaded = self.load().await;
        let credentials = loaded.as_ref().ok().cloned();
        self.credentials = Some(loaded);
        let is_affordable = budget.is_none_or(|most| most >= LOOK_UP + self.settings.runner.price);
        if let Some(credentials) = credentials
            && self.whose.user_id.is_none()
            && is_affordable
            && let Ok(http) = Http::new(&self.settings.address, TOKEN_TIMEOUT)
        {
            self.look_up(&http, &credentials).await;
        }
    }

    async fn look_up(&mut self, http: &Http, credentials: &Credentials) {
        let now = Timestamp::now();
        if credentials.renew_at().is_some_and(|at| at <= now) {
            // What comes of it is the run's to find out; this is only the question whose it is.
            let _ = credentials.renew(credentials.generation()).await;
        }
        let generation = credentials.generation();
        let mut answer = look_up(http, &credentials.secret()).await;
        self.dollars += f64::from(u8::from(answer.is_spent)) * LOOK_UP;
        if answer.is_refused && credentials.renew(generation).await.is_ok() {
            answer = look_up(http, &credentials.secret()).await;
            self.dollars += f64::from(u8::from(answer.is_spent)) * LOOK_UP;
            self.refused = answer.user.is_err().then_some(generation);
        }
        match answer.user {
            Ok(user) => {
                tracing::info!(id = user.id, handle = user.handle, "the token's user");
                (self.whose.user_id, self.whose.handle) = (Some(user.id), user.handle);
                self.keep().await;
            }
            Err(why) => tracing::info!(why, "X did not tell whose the token is"),
        }
    }

    /// Keeps with the profile whose it is.
    async fn keep(&self) {
        let Ok(Source::Profile(store, name)) = &self.settings.access.source else {
            return;
        };
        let (user_id, handle) = (self.whose.user_id.clone(), self.whose.handle.clone());
        let kept = store
            .change(|profiles| {
                if let Some(profile) = profiles.get_mut(name) {
                    (profile.user_id, profile.handle) = (user_id, handle);
                }
            })
            .await;
        if let Err(error) = kept {
            say(&format!(
                "Whose the profile is could not be kept, and is asked again next time: {error}"
            ));
        }
    }

    async fn load(&self) -> Result<Arc<Credentials>, Failure> {
        let source = self.settings.access.source.clone();
        let source = source.map_err(Failure::Access)?;
        let loaded = Credentials::load(source, &self.settings.address, true).await;
        Ok(Arc::new(loaded?))
    }

    /// The credentials to send with.
    ///
    /// # Errors
    /// Where there are none.
    pub async fn credentials(&mut self) -> Result<Arc<Credentials>, Failure> {
        match self.credentials.take() {
            Some(loaded) => loaded,
            None => self.load().await,
        }
    }

    /// As whom it sends, for people.
    pub fn name(&self) -> String {
        self.whose
            .name()
            .or_else(|| self.whose.profile.clone())
            .unwrap_or_else(|| "the default account".to_owned())
    }
}

/// The client as the runner knows it.
#[derive(Debug, Clone)]
pub struct ClientApi(pub Client);

impl Api for ClientApi {
    async fn send(
        &self,
        media_id: &crate::item::MediaId,
        metadata: &crate::metadata::Metadata,
    ) -> Answered {
        let sent = self.0.send(media_id, metadata).await;
        Answered {
            reply: sent.reply,
            generation: sent.generation,
            is_over: sent.is_over,
        }
    }

    fn renew_at(&self) -> Option<Timestamp> {
        self.0.renew_at()
    }

    async fn renew(&self, generation: u32) -> Result<u32, NoToken> {
        self.0.renew(generation).await.map_err(|error| {
            if error.is_passing() {
                NoToken::Unreachable(error.to_string())
            } else {
                NoToken::Access(error.to_string())
            }
        })
    }
}
