//! Links in messages. There is one of each kind for a user: a newer replaces the older.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use url::form_urlencoded;

use super::item::{Item, ReadItem, expiry, number, text, time};
use super::schema::{EXPIRES_AT, KEY, Table};
use super::transaction::{Failed, IntoWrite, Outcome};
use super::users::{stamp_from, user_key};
use super::{Store, StoreError};
use crate::domain::{AccessToken, Action, Email, LinkToken, Purpose, RedirectUrl, User};
use crate::route::VERIFY_PATH;
use crate::settings::BaseUrl;

/// A link that goes out, or went out.
#[derive(Clone, Debug)]
pub struct Link {
    /// What it is for.
    pub action: Action,
    /// The secret in it.
    pub token: LinkToken,
    /// The address that it goes to: what following it proves.
    pub email: Email,
    /// How long it works.
    pub lifetime: SignedDuration,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A link did not work.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Unknown, used, replaced, expired, or of a user whose address or password changed since.
    #[error("the link is unknown, used or expired")]
    Invalid,
    /// Its user is gone.
    #[error("there is no such user")]
    UserNotFound,
    /// It confirms an address that is confirmed.
    #[error("the email address has been verified already")]
    AlreadyVerified,
    /// It works for a confirmed address only.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a link is exchanged for.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    /// The token that goes to the app.
    pub access_token: &'a AccessToken,
    /// What it is good for.
    pub purpose: Purpose,
    /// When it stops working.
    pub expires_at: Timestamp,
}

impl Link {
    /// A new one for a user as he is now, that works for so long.
    pub fn begin(
        action: Action,
        user: &User,
        email: &Email,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> Self {
        Self {
            action,
            token: LinkToken::random(&user.id, user.security_stamp),
            email: email.clone(),
            lifetime,
            expires_at: now + lifetime,
        }
    }

    /// The URL that goes into the message: a secret, for its owner only.
    pub fn url(&self, base: &BaseUrl, redirect: &RedirectUrl) -> String {
        let parameters = form_urlencoded::Serializer::new(String::new())
            .append_pair("key", self.token.expose())
            .append_pair("action", self.action.as_str())
            .append_pair("redirect", redirect.as_str())
            .finish();
        format!("{}{VERIFY_PATH}?{parameters}", base.as_str())
    }
}

pub(super) fn link_key(action: Action, token: &LinkToken) -> String {
    format!("{}#{}", action.as_str(), token.user_id())
}

impl Store {
    /// Uses a link up, verifies the address where that is what it is for, and leaves an access token
    /// in its place. One call.
    pub async fn follow_link(
        &self,
        action: Action,
        token: &LinkToken,
        exchange: &Exchange<'_>,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let user = user_key(token.user_id());
        let stamp = number(token.stamp().0);
        let user_write = if action == Action::EmailConfirm {
            self.update(Table::Users, &user)
                .update_expression("SET emailVerified = :true REMOVE claimableAfter")
                .condition_expression("securityStamp = :stamp AND emailVerified = :false")
                .expression_attribute_values(":stamp", stamp)
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .expression_attribute_values(":false", AttributeValue::Bool(false))
                .write()
        } else {
            self.check(Table::Users, &user)
                .condition_expression("securityStamp = :stamp AND emailVerified = :true")
                .expression_attribute_values(":stamp", stamp)
                .expression_attribute_values(":true", AttributeValue::Bool(true))
                .write()
        };
        let writes = vec![
            self.use_up_link(action, token, now),
            user_write,
            self.put_access_token(exchange),
        ];
        let Outcome::Refused(mut refused) = self.transact(writes).await? else {
            return Ok(());
        };
        if refused.at(0).is_some() {
            return Err(LinkError::Invalid);
        }
        match refused.at(1) {
            None => Err(LinkError::Invalid),
            Some(Failed(None)) => Err(LinkError::UserNotFound),
            Some(Failed(Some(user))) => {
                if stamp_from(&user).map_err(StoreError::from)? != token.stamp() {
                    return Err(LinkError::Invalid);
                }
                Err(if action == Action::EmailConfirm {
                    LinkError::AlreadyVerified
                } else {
                    LinkError::NotVerified
                })
            }
        }
    }

    /// Puts a link that confirms the address of an unverified user in the place of the older one, and lets
    /// nobody claim the address until it expires. One call; `false` if the user changed
    /// since he was read.
    pub async fn renew_confirmation(&self, user: &User, link: &Link) -> Result<bool, StoreError> {
        let keep_claim = self
            .update(Table::Users, &user_key(&user.id))
            .update_expression("SET claimableAfter = :expiry")
            .condition_expression("securityStamp = :stamp AND emailVerified = :false")
            .expression_attribute_values(":stamp", number(user.security_stamp.0))
            .expression_attribute_values(":expiry", time(link.expires_at))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .write();
        let outcome = self.transact(vec![keep_claim, self.put_link(link)]).await?;
        Ok(matches!(outcome, Outcome::Done))
    }

    /// Puts a link in the place of the older one of its kind. One call. Should the user's address or password
    /// change meanwhile, the link is dead by his security stamp.
    pub async fn replace_link(&self, link: &Link) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(self.table(Table::Tokens))
            .set_item(Some(link_to(link)))
            .send()
            .await?;
        Ok(())
    }

    pub(super) fn put_link(&self, link: &Link) -> TransactWriteItem {
        self.put(Table::Tokens, link_to(link)).write()
    }

    /// Deletes a link's item if this token is the one in it and has not expired.
    pub(super) fn use_up_link(
        &self,
        action: Action,
        token: &LinkToken,
        now: Timestamp,
    ) -> TransactWriteItem {
        self.delete(Table::Tokens, &link_key(action, token))
            .condition_expression("tokenHash = :hash AND expiresAt > :now")
            .expression_attribute_values(":hash", text(token.hash().0))
            .expression_attribute_values(":now", expiry(now))
            .write()
    }

    /// The address that a link proves, if this token is the one in it and has not expired. One
    /// consistent read.
    pub(super) async fn link_email(
        &self,
        action: Action,
        token: &LinkToken,
        now: Timestamp,
    ) -> Result<Option<Email>, StoreError> {
        let Some(item) = self.read(Table::Tokens, &link_key(action, token)).await? else {
            return Ok(None);
        };
        let is_this_one = crate::secrets::digest::equal(item.text("tokenHash")?, &token.hash().0);
        if !is_this_one || item.expiry(EXPIRES_AT)? <= now {
            return Ok(None);
        }
        let email = Email::parse(item.text("email")?).map_err(|_| super::DamagedItem("email"))?;
        Ok(Some(email))
    }
}

fn link_to(link: &Link) -> Item {
    Item::from([
        (KEY.to_owned(), text(link_key(link.action, &link.token))),
        ("tokenHash".to_owned(), text(link.token.hash().0)),
        ("email".to_owned(), text(link.email.as_str())),
        (EXPIRES_AT.to_owned(), expiry(link.expires_at)),
    ])
}
