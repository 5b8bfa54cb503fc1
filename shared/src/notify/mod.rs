//! Messages to people. Mail goes through Amazon SES; its words come from templates.

mod mailbox;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_sesv2::error::{BuildError, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use jiff::SignedDuration;
use tracing::error;

use crate::domain::{Email, User};
use crate::settings::Settings;
use crate::store::Link;
use crate::telemetry::Causes;

use template::{Template, Values};
pub use template::{TemplateError, TemplateName, TemplateText, TokenValues};

/// Sends mail in the name of the deployment. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    client: aws_sdk_sesv2::Client,
    from: Arc<str>,
    /// Every name is in it.
    templates: Arc<BTreeMap<TemplateName, Template>>,
}

/// A mail could not be handed over. `Display` names no person; what SES says, which is kept as the
/// source, may name the address.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The message holds a link and was given none, or one that is not an http or https URL.
    #[error("the message {0} needs an http or https URL as its link")]
    Link(TemplateName),
    /// The request could not be built.
    #[error("the request to send a mail could not be built")]
    Request(#[source] BuildError),
    /// SES refused the mail, failed or could not be reached.
    #[error("SES did not take the mail")]
    Ses(#[source] Box<SdkError<SendEmailError>>),
}

impl Mailer {
    /// A mailer for the sender and the templates of the settings; a message that they do not
    /// replace is the built-in one.
    pub fn new(client: aws_sdk_sesv2::Client, settings: &Settings) -> Result<Self, TemplateError> {
        let compile = |&name: &TemplateName| {
            let compiled = match settings.templates.get(&name) {
                Some(text) => Template::compile(name, text),
                None => Template::built_in(name),
            };
            Ok((name, compiled?))
        };
        let templates: BTreeMap<_, _> = TemplateName::ALL
            .iter()
            .map(compile)
            .collect::<Result<_, TemplateError>>()?;
        let email = &settings.email;
        Ok(Self {
            client,
            from: mailbox::write(&email.from_name, &email.from_address).into(),
            templates: Arc::new(templates),
        })
    }

    /// Sends the message that a link goes out with, to the address that it proves.
    pub async fn send_link(
        &self,
        template: TemplateName,
        user: &User,
        link: &Link,
        url: &str,
    ) -> Result<(), SendError> {
        let values = TokenValues {
            confirmation_url: Some(url),
            email: Some(link.email.as_str()),
            expires_in: Some(&spoken(link.lifetime)),
        };
        self.send(&link.email, template, user, values).await
    }

    /// Tells a person what has happened already. That he cannot be told is logged and undoes nothing.
    pub async fn tell(
        &self,
        to: &Email,
        template: TemplateName,
        user: &User,
        token: TokenValues<'_>,
    ) {
        if let Err(error) = self.send(to, template, user, token).await {
            let cause = Causes(&error).to_string();
            error!(cause, template = %template, to = to.masked(), "a person could not be told");
        }
    }

    /// Sends one message to one address.
    pub async fn send(
        &self,
        to: &Email,
        template: TemplateName,
        user: &User,
        token: TokenValues<'_>,
    ) -> Result<(), SendError> {
        let mail = self.templates[&template]
            .render(Values { user, token })
            .map_err(|_| SendError::Link(template))?;
        let body = Body::builder()
            .text(content(mail.text)?)
            .html(content(mail.html)?)
            .build();
        let message = Message::builder()
            .subject(content(mail.subject)?)
            .body(body)
            .build();
        self.client
            .send_email()
            .from_email_address(self.from.as_ref())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map_err(|error| SendError::Ses(Box::new(error)))?;
        Ok(())
    }
}

fn content(data: String) -> Result<Content, SendError> {
    let content = Content::builder().charset("UTF-8").data(data).build();
    content.map_err(SendError::Request)
}

/// Checks templates as [`Mailer::new`] does, for functions that read the settings and send nothing.
pub fn check(templates: &BTreeMap<TemplateName, TemplateText>) -> Result<(), TemplateError> {
    for (name, text) in templates {
        Template::compile(*name, text)?;
    }
    Ok(())
}

/// A duration as a person says it: `24 hours`, `1 hour`, `15 minutes`, `2 days`.
///
/// In the largest unit that it is a whole number of; what is long and odd is rounded down, so that
/// a link never dies before its time.
pub fn spoken(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    // From so many of a unit on, what is left over is not worth a word.
    let units = [(86_400, "day", 10), (3_600, "hour", 10), (60, "minute", 10)];
    let fits = |&(length, name, many): &(i64, &'static str, i64)| {
        let count = seconds / length;
        let whole = count > 0 && seconds % length == 0;
        // One day is better known as 24 hours.
        let said = (whole && (name, count) != ("day", 1)) || count >= many;
        said.then_some((count, name))
    };
    let (count, unit) = units.iter().find_map(fits).unwrap_or((seconds, "second"));
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::Mutex;

    use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;
    use serde_json::{Value, json};

    use super::*;

    /// Answers every request alike and keeps their bodies.
    #[derive(Clone, Debug)]
    struct Ses {
        status: u16,
        answer: &'static str,
        requests: Arc<Mutex<Vec<Value>>>,
    }

    impl HttpConnector for Ses {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let body = request.body().bytes().unwrap_or_default();
            let body = serde_json::from_slice(body).unwrap();
            self.requests.lock().unwrap().push(body);
            let status = self.status.try_into().unwrap();
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.answer))))
        }
    }

    fn ses(status: u16, answer: &'static str) -> (Ses, aws_sdk_sesv2::Client) {
        let ses = Ses {
            status,
            answer,
            requests: Arc::default(),
        };
        let connector = SharedHttpConnector::new(ses.clone());
        let config = aws_sdk_sesv2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::from_keys("key", "secret", None))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        (ses, aws_sdk_sesv2::Client::from_conf(config))
    }

    fn settings(templates: &Value) -> Settings {
        let mut document = json!({
            "public_url": "https://auth.example.com",
            "api_keys": [],
            "redirect_urls": [],
            "email": { "from_address": "no-reply@example.com", "from_name": "Ann \"A\" Example" },
        });
        document["templates"] = templates.clone();
        serde_json::from_value(document).unwrap()
    }

    const TOKEN: TokenValues<'_> = TokenValues {
        confirmation_url: Some("https://auth.example.com/confirm?token=tk-1&a=b"),
        email: Some("new@example.com"),
        expires_in: Some("24 hours"),
    };

    async fn send(client: aws_sdk_sesv2::Client, token: TokenValues<'_>) -> Result<(), SendError> {
        let mailer = Mailer::new(client, &settings(&json!({}))).unwrap();
        let to = Email::parse("ada@example.com").unwrap();
        let user = template::tests::user("Ada");
        mailer
            .send(&to, TemplateName::ConfirmEmail, &user, token)
            .await
    }

    #[tokio::test]
    async fn a_mail_is_handed_to_ses_with_sender_receiver_and_both_bodies() {
        let (ses, client) = ses(200, r#"{"MessageId":"1"}"#);
        send(client, TOKEN).await.unwrap();
        let requests = ses.requests.lock().unwrap();
        let [request] = requests.as_slice() else {
            panic!("{requests:?}")
        };
        let message = &request["Content"]["Simple"];
        assert_eq!(
            request["FromEmailAddress"],
            r#""Ann \"A\" Example" <no-reply@example.com>"#
        );
        assert_eq!(
            request["Destination"],
            json!({ "ToAddresses": ["ada@example.com"] })
        );
        assert_eq!(
            message["Subject"],
            json!({ "Charset": "UTF-8", "Data": "Confirm your email address" })
        );
        let text = message["Body"]["Text"]["Data"].as_str().unwrap();
        assert!(text.contains("\nhttps://auth.example.com/confirm?token=tk-1&a=b\n"));
        let html = message["Body"]["Html"]["Data"].as_str().unwrap();
        assert!(html.contains(r#"href="https://auth.example.com/confirm?token=tk-1&amp;a=b""#));
        assert_eq!(message["Body"]["Html"]["Charset"], "UTF-8");
    }

    #[tokio::test]
    async fn what_ses_refuses_is_an_error_that_names_no_person() {
        let answer = r#"{"__type":"MessageRejected","message":"Not verified: ada@example.com"}"#;
        let (_, client) = ses(400, answer);
        let error = send(client, TOKEN).await.unwrap_err();
        assert!(!error.to_string().contains("ada"), "{error}");
        let mut source = error.source();
        let mut chain = Vec::new();
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        assert!(
            chain.iter().any(|text| text.contains("Not verified")),
            "{chain:?}"
        );
    }

    #[tokio::test]
    async fn a_mail_whose_link_leads_nowhere_is_not_sent() {
        for link in [
            None,
            Some(""),
            Some("javascript:alert(1)"),
            Some("/confirm"),
        ] {
            let (ses, client) = ses(200, "{}");
            let token = TokenValues {
                confirmation_url: link,
                ..TOKEN
            };
            let error = send(client, token).await.unwrap_err();
            assert!(matches!(error, SendError::Link(_)), "{error}");
            assert!(ses.requests.lock().unwrap().is_empty());
        }
    }

    #[test]
    fn a_template_of_the_settings_replaces_the_built_in_one() {
        let (_, client) = ses(200, "{}");
        let own = json!({ "subject": "Hi {{user.name}}", "html": "<p>Hi</p>", "text": "Hi" });
        let settings = settings(&json!({ "confirm_email": own }));
        let mailer = Mailer::new(client, &settings).unwrap();
        let user = template::tests::user("Ada");
        let values = Values {
            user: &user,
            token: TOKEN,
        };
        let mail = |name| mailer.templates[&name].render(values).unwrap();
        assert_eq!(mail(TemplateName::ConfirmEmail).subject, "Hi Ada");
        assert_eq!(
            mail(TemplateName::EmailChanged).subject,
            "Your email address was changed"
        );
    }

    #[test]
    fn a_bad_template_stops_the_mailer_and_the_check_alike() {
        let (_, client) = ses(200, "{}");
        let own = json!({ "subject": "Hi", "html": "<p>{{user.password}}</p>", "text": "Hi" });
        let settings = settings(&json!({ "email_changed": own }));
        let expected = "template email_changed, html: there is no placeholder `{{user.password}}`";
        assert_eq!(
            check(&settings.templates).unwrap_err().to_string(),
            expected
        );
        let refused = Mailer::new(client, &settings).err().unwrap();
        assert_eq!(refused.to_string(), expected);
    }

    #[test]
    fn a_duration_is_said_as_people_say_it() {
        for (seconds, said) in [
            (-5, "0 seconds"),
            (0, "0 seconds"),
            (1, "1 second"),
            (60, "1 minute"),
            (61, "61 seconds"),
            (900, "15 minutes"),
            (901, "15 minutes"),
            (3_600, "1 hour"),
            (5_400, "90 minutes"),
            (86_399, "23 hours"),
            (86_400, "24 hours"),
            (90_000, "25 hours"),
            (172_800, "2 days"),
            (604_800, "7 days"),
        ] {
            assert_eq!(
                spoken(SignedDuration::from_secs(seconds)),
                said,
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_mailer_can_be_shared_between_tasks() {
        fn shareable<T: Clone + Send + Sync>() {}
        shareable::<Mailer>();
    }
}
