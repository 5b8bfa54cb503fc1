use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use ::http::header::{self, HeaderMap};
use ::http::{HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use tracing::{Instrument, error, info, info_span};
use url::Url;

use super::fields::{Rules, read_fields};
use super::outgoing::{self, Outgoing};
use super::request::{Query, read_request};
use super::{Incoming, Operation, Output, Refusal, Refuse, SessionError, code};
use crate::domain::{Clock, Session, User, UserAgent, iso};
use crate::resources::{Resource, Resources, StartError};
use crate::route::{Auth, Route};
use crate::secrets::{ApiKeyError, ApiKeyKind, ApiKeys, SessionClaims, SessionVerifier};
use crate::settings::Settings;
use crate::store::Store;
use crate::telemetry::Causes;

/// Stands before an operation: lets in who may come in, and gives the answer its form.
pub struct Gate<D> {
    deps: D,
    settings: Arc<Settings>,
    clock: Clock,
    api_keys: ApiKeys,
    sessions: Option<SessionVerifier>,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Which path of the operation.
    pub path: String,
    /// From which address.
    pub address: IpAddr,
    /// With which kind of key; `None` where the operation needs none.
    pub key: Option<ApiKeyKind>,
    /// With which session, by its token; whether it is alive the store must tell. `None` where the operation needs none.
    pub session: Option<SessionClaims>,
    /// With what program: the `User-Agent` header, clipped.
    pub user_agent: String,
}

impl Caller {
    /// The session of the call, if it is alive, with its user; `None` for one who is gone. One call to the store.
    pub async fn live_session(
        &self,
        store: &Store,
        now: Timestamp,
    ) -> Result<(Session, Option<User>), SessionError> {
        let claims = self.session.as_ref().ok_or(SessionError::Ended)?;
        let alive = store.live_session(claims, now).await?;
        alive.ok_or(SessionError::Ended)
    }
}

/// An operation behind its gate.
pub trait Serve: Send + Sync {
    /// The operation's row.
    fn route(&self) -> &'static Route;

    /// Answers a request, whatever it is.
    fn serve<'a>(
        &'a self,
        request: &'a Incoming,
    ) -> Pin<Box<dyn Future<Output = Outgoing> + Send + 'a>>;
}

impl<D: Operation> Gate<D> {
    /// Puts an operation behind its gate.
    pub fn new(resources: &Resources) -> Result<Self, StartError> {
        let needs_session = D::ROUTE.auth == Auth::KeyAndSession;
        Ok(Self {
            deps: D::start(resources)?,
            clock: resources.clock.clone(),
            api_keys: ApiKeys::new(resources.settings.api_keys.clone()),
            sessions: needs_session
                .then(|| SessionVerifier::take(resources))
                .transpose()?,
            settings: Arc::clone(&resources.settings),
        })
    }

    async fn answer(&self, request: &Incoming) -> Outgoing {
        let started = self.clock.now();
        let mut answer = match self.enter(request).await {
            Ok(answer) => answer,
            Err(refusal) => {
                log_refusal(&refusal);
                outgoing::refusal(&refusal, &request.request_id)
            }
        };
        self.finish(request, &mut answer);
        let milliseconds = self.clock.now().duration_since(started).as_millis();
        info!(
            status = answer.status().as_u16(),
            milliseconds,
            at = iso(started),
            "answered"
        );
        answer
    }

    async fn enter(&self, request: &Incoming) -> Result<Outgoing, Refusal> {
        let route = D::ROUTE;
        if request.method == Method::OPTIONS {
            return Ok(outgoing::empty(StatusCode::NO_CONTENT));
        }
        let mut methods = route.methods.iter();
        if !methods.any(|method| method.as_str() == request.method.as_str()) {
            return Err(Refusal::new(code::METHOD_NOT_ALLOWED));
        }
        let query = Query::parse(&request.query);
        let key = match route.auth {
            Auth::Public => None,
            Auth::Key | Auth::KeyAndSession => Some(self.check_key(request, &query)?),
        };
        let fields = read_request(route, request, &query)?;
        let session = match &self.sessions {
            None => None,
            Some(verifier) => Some(self.check_session(request, verifier)?),
        };
        let rules = Rules {
            min_password_length: self.settings.password.min_length,
        };
        let input = read_fields::<D::Input>(&fields, rules)
            .map_err(|fields| Refusal::validation(&fields))?;
        let caller = Caller {
            path: request.path.clone(),
            address: request.address,
            key,
            session,
            user_agent: UserAgent::clip(text(&request.headers, header::USER_AGENT.as_str()))
                .to_owned(),
        };
        let done = self.deps.run(&caller, input).await;
        done.map(Output::answer).map_err(|error| {
            let refusal = error.refuse();
            debug_assert!(
                COMMON_CODES.contains(&refusal.code) || D::Error::CODES.contains(&refusal.code),
                "{} does not declare {:?}",
                route.name,
                refusal.code,
            );
            refusal
        })
    }

    fn check_key(&self, request: &Incoming, query: &Query) -> Result<ApiKeyKind, Refusal> {
        let in_header = request.headers.get(header::AUTHORIZATION);
        let key = match in_header.filter(|key| !key.is_empty()) {
            None => query.one("apikey")?.unwrap_or_default(),
            // What is no text is no key of anybody's.
            Some(key) => key.to_str().unwrap_or("?"),
        };
        if key.is_empty() {
            return Err(Refusal::new(code::MISSING_API_KEY));
        }
        let origin = optional(&request.headers, header::ORIGIN.as_str());
        self.api_keys
            .check(key, origin, request.address, self.clock.now())
            .map_err(|error| {
                Refusal::new(match error {
                    ApiKeyError::Unknown => code::INVALID_API_KEY,
                    ApiKeyError::Expired => code::EXPIRED_API_KEY,
                    ApiKeyError::Origin => code::DOMAIN_NOT_AUTHORIZED,
                    ApiKeyError::Address => code::IP_NOT_AUTHORIZED,
                })
            })
    }

    fn check_session(
        &self,
        request: &Incoming,
        verifier: &SessionVerifier,
    ) -> Result<SessionClaims, Refusal> {
        let token = optional(&request.headers, "session").or_else(|| self.cookie(request));
        let Some(token) = token else {
            return Err(Refusal::new(code::MISSING_SESSION_TOKEN));
        };
        verifier
            .verify(token)
            .map_err(|_| Refusal::new(code::INVALID_SESSION_TOKEN))
    }

    /// The session in the cookie. A browser sends it along whatever page calls, so it
    /// counts only if the page is of a known origin (cross-site request forgery).
    fn cookie<'a>(&self, request: &'a Incoming) -> Option<&'a str> {
        // An origin that is empty, or no text, is not one that we know.
        let known = request.headers.get(header::ORIGIN).is_none_or(|origin| {
            let origin = origin.to_str();
            origin.is_ok_and(|origin| self.welcomes(origin))
        });
        let cookies = request.headers.get_all(header::COOKIE);
        let token = cookies
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix("session_token="));
        token.filter(|token| known && !token.is_empty())
    }

    /// Whether pages of this origin may call with cookies: our own, and those of the settings.
    fn welcomes(&self, origin: &str) -> bool {
        let own = Url::parse(self.settings.public_url.as_str());
        own.is_ok_and(|own| own.origin().ascii_serialization() == origin)
            || self.settings.allows_origin(origin)
    }

    /// The headers that every answer gets.
    fn finish(&self, request: &Incoming, answer: &mut Outgoing) {
        outgoing::set(answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if !answer.headers().contains_key(header::CACHE_CONTROL) {
            outgoing::set(answer, header::CACHE_CONTROL, "no-store");
        }
        if answer.status() == StatusCode::METHOD_NOT_ALLOWED {
            let methods: Vec<&str> = D::ROUTE.methods.iter().map(|m| m.as_str()).collect();
            outgoing::set(answer, header::ALLOW, &methods.join(", "));
        }
        outgoing::set(answer, header::VARY, "Origin");
        let Some(origin) = optional(&request.headers, header::ORIGIN.as_str()) else {
            return;
        };
        if !self.settings.allows_origin(origin) {
            return;
        }
        let headers = answer.headers_mut();
        if let Ok(origin) = HeaderValue::from_str(origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
        say(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        if request.method == Method::OPTIONS {
            say(header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
            say(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "authorization, session, content-type, x-client",
            );
            say(header::ACCESS_CONTROL_MAX_AGE, "600");
        } else {
            say(header::ACCESS_CONTROL_EXPOSE_HEADERS, "retry-after");
        }
    }
}

/// What any operation may answer, by the common rules of the wire.
pub(super) const COMMON_CODES: [code::Code; 3] =
    [code::RATE_LIMIT_EXCEEDED, code::INTERNAL, code::UNAVAILABLE];

impl<D: Operation> Serve for Gate<D> {
    fn route(&self) -> &'static Route {
        D::ROUTE
    }

    fn serve<'a>(
        &'a self,
        request: &'a Incoming,
    ) -> Pin<Box<dyn Future<Output = Outgoing> + Send + 'a>> {
        let span = info_span!(
            "request",
            id = request.request_id,
            operation = D::ROUTE.name
        );
        Box::pin(self.answer(request).instrument(span))
    }
}

fn log_refusal(refusal: &Refusal) {
    let code = refusal.code.name;
    if let Some(cause) = &refusal.cause {
        let cause = Causes(cause.as_ref()).to_string();
        error!(code, cause, "failed");
    } else {
        info!(code, "refused");
    }
}

/// A header's text; empty where there is none, or one that is no text.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    optional(headers, name).unwrap_or_default()
}

fn optional<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get(name)?
        .to_str()
        .ok()
        .filter(|text| !text.is_empty())
}
