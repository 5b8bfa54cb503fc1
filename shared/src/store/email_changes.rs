//! A user's move from one email address to another.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;

use super::item::{number, text};
use super::schema::Table;
use super::transaction::{IntoWrite, Outcome};
use super::users::{guarded_user, user_key};
use super::{Store, StoreError};
use crate::domain::{Action, Email, LinkToken, User};

/// An address changed.
#[derive(Clone, Debug)]
pub struct EmailChange {
    /// The user as he was before.
    pub before: User,
    /// His old address, if he had one.
    pub old: Option<Email>,
    /// His new address.
    pub new: Email,
}

/// An address did not change.
#[derive(Debug, thiserror::Error)]
pub enum EmailChangeError {
    /// Unknown, used, replaced, expired, or of a user whose address or password changed since.
    #[error("the link is unknown, used or expired")]
    Invalid,
    /// Its user is gone.
    #[error("there is no such user")]
    UserNotFound,
    /// Only a user with a confirmed address changes it.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// Somebody else has the new address.
    #[error("the email address is taken")]
    EmailTaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Uses up the link that was sent to the new address, and moves the user there: the user, both guards
    /// and the security stamp, so that every link to the old address dies with it.
    ///
    /// Two reads at once and one write; one more where somebody holds the new address.
    pub async fn confirm_email_change(
        &self,
        token: &LinkToken,
        now: Timestamp,
    ) -> Result<EmailChange, EmailChangeError> {
        let (new, user) = tokio::try_join!(
            self.link_email(Action::ChangeEmail, token, now),
            self.user(token.user_id()),
        )?;
        let new = new.ok_or(EmailChangeError::Invalid)?;
        let user = user.ok_or(EmailChangeError::UserNotFound)?;
        if user.security_stamp != token.stamp() {
            return Err(EmailChangeError::Invalid);
        }
        if !user.has_verified_email() {
            return Err(EmailChangeError::NotVerified);
        }
        if user.email.as_ref() == Some(&new) {
            return Err(EmailChangeError::EmailTaken);
        }

        let mut writes = vec![
            self.claim_email(&new, &user.id),
            self.use_up_link(Action::ChangeEmail, token, now),
            self.move_user(&user, &new),
        ];
        if let Some(old) = &user.email {
            writes.push(self.release_email(old, &user.id));
        }
        if let Outcome::Refused(mut refused) = self.transact(writes.clone()).await? {
            let Some(holder) = refused.at(0).and_then(|failed| failed.0) else {
                return Err(EmailChangeError::Invalid);
            };
            // Whoever holds the new address gives way if he never confirmed it in time.
            let holder = guarded_user(&holder).map_err(StoreError::from)?;
            writes[0] = self.take_over_email(&new, &holder, &user.id);
            writes.push(self.delete_expired_claim(&holder, now));
            if let Outcome::Refused(_) = self.transact(writes).await? {
                return Err(EmailChangeError::EmailTaken);
            }
        }
        Ok(EmailChange {
            old: user.email.clone(),
            before: user,
            new,
        })
    }

    fn move_user(&self, user: &User, new: &Email) -> TransactWriteItem {
        self.update(Table::Users, &user_key(&user.id))
            .update_expression("SET email = :new, emailVerified = :true, securityStamp = :next")
            .condition_expression("securityStamp = :stamp AND emailVerified = :true")
            .expression_attribute_values(":new", text(new.as_str()))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .expression_attribute_values(":stamp", number(user.security_stamp.0))
            .expression_attribute_values(":next", number(user.security_stamp.0 + 1))
            .write()
    }
}
