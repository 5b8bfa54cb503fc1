//! Access tokens: what a link or a provider's sign-in yields, for the app to exchange.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;

use super::item::{Item, ReadItem, expiry, number, text, time};
use super::links::Exchange;
use super::schema::{EXPIRES_AT, KEY, Table};
use super::sessions::MOMENT;
use super::transaction::{Failed, IntoWrite, Outcome};
use super::users::user_key;
use super::{Store, StoreError};
use crate::domain::{AccessToken, PasswordHash, Purpose, Session};

/// An access token did not work.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Unknown, used, expired, or of a user whose address or password changed since.
    #[error("the access token is unknown, used or expired")]
    Invalid,
    /// Good for something else.
    #[error("the access token is good for something else")]
    WrongType,
    /// Its user is gone.
    #[error("there is no such user")]
    UserNotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn access_key(token: &AccessToken) -> String {
    format!("access#{}", token.hash().0)
}

impl Store {
    /// Uses an access token up and begins a session in its place. One call.
    pub async fn grant(&self, token: &AccessToken, session: &Session) -> Result<(), GrantError> {
        let now = session.created_at;
        let use_up = self.use_up_access_token(token, Purpose::SignIn, now);
        let sign_in = self
            .update(Table::Users, &user_key(token.user_id()))
            .update_expression("SET lastLoginAt = :now")
            .condition_expression("securityStamp = :stamp")
            .expression_attribute_values(":stamp", number(token.stamp().0))
            .expression_attribute_values(":now", time(now))
            .write();
        let writes = vec![use_up, sign_in, self.put_session(session)];
        self.exchange(writes, now).await
    }

    /// Uses an access token up and sets the new password in its place: every session ends, and every other link and
    /// token of the user dies. One call.
    pub async fn reset_password(
        &self,
        token: &AccessToken,
        password: &PasswordHash,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        let writes = vec![
            self.use_up_access_token(token, Purpose::ResetPwd, now),
            // A session that was kept in this very millisecond ends too.
            self.set_password(token.user_id(), token.stamp(), password, now + MOMENT),
        ];
        self.exchange(writes, now).await
    }

    /// Writes, where the first use a token up and the second needs its user as he was.
    async fn exchange(
        &self,
        writes: Vec<TransactWriteItem>,
        now: Timestamp,
    ) -> Result<(), GrantError> {
        let Outcome::Refused(mut refused) = self.transact(writes).await? else {
            return Ok(());
        };
        match refused.at(0) {
            Some(Failed(Some(item))) => {
                let expires_at = item.expiry(EXPIRES_AT).map_err(StoreError::from)?;
                if expires_at <= now {
                    return Err(GrantError::Invalid);
                }
                return Err(GrantError::WrongType);
            }
            Some(Failed(None)) => return Err(GrantError::Invalid),
            None => {}
        }
        match refused.at(1) {
            Some(Failed(None)) => Err(GrantError::UserNotFound),
            _ => Err(GrantError::Invalid),
        }
    }

    fn use_up_access_token(
        &self,
        token: &AccessToken,
        purpose: Purpose,
        now: Timestamp,
    ) -> TransactWriteItem {
        self.delete(Table::Tokens, &access_key(token))
            .condition_expression("purpose = :purpose AND expiresAt > :now")
            .expression_attribute_values(":purpose", text(purpose.as_str()))
            .expression_attribute_values(":now", expiry(now))
            .write()
    }

    pub(super) fn put_access_token(&self, exchange: &Exchange<'_>) -> TransactWriteItem {
        let item = Item::from([
            (KEY.to_owned(), text(access_key(exchange.access_token))),
            (
                "userId".to_owned(),
                text(exchange.access_token.user_id().as_str()),
            ),
            ("purpose".to_owned(), text(exchange.purpose.as_str())),
            (EXPIRES_AT.to_owned(), expiry(exchange.expires_at)),
        ]);
        self.put(Table::Tokens, item).write()
    }
}
