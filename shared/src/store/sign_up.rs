//! A new user with an email address.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;

use super::schema::Table;
use super::transaction::{IntoWrite, Outcome};
use super::users::{guarded_user, user_key};
use super::{Link, Store, StoreError};
use crate::domain::{Action, Email, Session, User, UserId};

/// What a new user begins with.
#[derive(Clone, Debug)]
pub enum Opening<'a> {
    /// A link to confirm the address.
    Link(&'a Link),
    /// A session, where nothing has to be confirmed.
    Session(&'a Session),
}

/// A user could not be added.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// The address belongs to somebody who verified it, or still may.
    #[error("the email address is taken")]
    EmailTaken,
    /// The store failed. Whether the user was added is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Adds a user, the guard of his address, and his link or session, or nothing at all.
    ///
    /// One call. Where the address is held by another user, one more finds out whether his
    /// unverified claim has expired, and replaces him if so.
    pub async fn sign_up(
        &self,
        user: &User,
        email: &Email,
        opening: Opening<'_>,
        now: Timestamp,
    ) -> Result<(), SignUpError> {
        let writes = vec![
            self.claim_email(email, &user.id),
            self.insert_user(user),
            self.opening(&opening),
        ];
        let Outcome::Refused(mut refused) = self.transact(writes).await? else {
            return Ok(());
        };
        let Some(holder) = refused.at(0).and_then(|failed| failed.0) else {
            return Err(SignUpError::EmailTaken);
        };
        let holder = guarded_user(&holder).map_err(StoreError::from)?;
        if holder == user.id {
            // Our own write: its answer was lost on the way, and this was the retry.
            return Ok(());
        }
        self.replace(user, email, opening, &holder, now).await
    }

    /// Puts a new user in the place of one whose unverified claim to the address has expired.
    async fn replace(
        &self,
        user: &User,
        email: &Email,
        opening: Opening<'_>,
        holder: &UserId,
        now: Timestamp,
    ) -> Result<(), SignUpError> {
        let old_link = format!("{}#{holder}", Action::EmailConfirm.as_str());
        let writes = vec![
            self.take_over_email(email, holder, &user.id),
            self.delete_expired_claim(holder, now),
            self.delete(Table::Tokens, &old_link).write(),
            self.insert_user(user),
            self.opening(&opening),
        ];
        let Outcome::Refused(mut refused) = self.transact(writes).await? else {
            return Ok(());
        };
        let guard = refused.at(0).and_then(|failed| failed.0);
        let is_ours = guard
            .as_ref()
            .is_some_and(|guard| guarded_user(guard).is_ok_and(|holder| holder == user.id));
        if is_ours {
            return Ok(());
        }
        Err(SignUpError::EmailTaken)
    }

    /// Takes a sign-up back whose message could not be sent: the user, as long as he is
    /// unverified, the guard and the link. One call; taking back what is not there does nothing.
    pub async fn undo_sign_up(&self, user: &UserId, email: &Email) -> Result<(), StoreError> {
        let link = format!("{}#{user}", Action::EmailConfirm.as_str());
        let delete_user = self
            .delete(Table::Users, &user_key(user))
            .condition_expression("emailVerified = :false")
            .expression_attribute_values(
                ":false",
                aws_sdk_dynamodb::types::AttributeValue::Bool(false),
            )
            .write();
        let writes = vec![
            self.release_email(email, user),
            delete_user,
            self.delete(Table::Tokens, &link).write(),
        ];
        self.transact(writes).await.map(drop)
    }

    fn opening(&self, opening: &Opening<'_>) -> TransactWriteItem {
        match opening {
            Opening::Link(link) => self.put_link(link),
            Opening::Session(session) => self.put_session(session),
        }
    }
}
