//! Users and the guards of their addresses.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem};
use jiff::Timestamp;

use super::item::{DamagedItem, Item, ReadItem, number, text, time};
use super::schema::{KEY, Table};
use super::transaction::IntoWrite;
use super::{Store, StoreError};
use crate::domain::{Email, PasswordHash, Provider, SecurityStamp, User, UserData, UserId};

/// The user signed in with was deleted, or changed his password, between the check and the sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the user changed meanwhile")]
pub struct ChangedMeanwhile;

pub(super) fn user_key(id: &UserId) -> String {
    format!("user#{id}")
}

pub(super) fn email_key(email: &Email) -> String {
    format!("email#{email}")
}

impl Store {
    /// Whose address it is. One consistent read.
    pub async fn user_id_by_email(&self, email: &Email) -> Result<Option<UserId>, StoreError> {
        let guard = self.read(Table::Users, &email_key(email)).await?;
        Ok(guard.as_ref().map(guarded_user).transpose()?)
    }

    /// A user. One consistent read.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let item = self.read(Table::Users, &user_key(id)).await?;
        Ok(item.as_ref().map(user_from).transpose()?)
    }

    /// Notes that a user signed in, and renews the password's hash where one is given, unless
    /// the user changed since he was read. One write; gives the user as he is then.
    pub async fn record_sign_in(
        &self,
        user: &User,
        at: Timestamp,
        renewed: Option<&PasswordHash>,
    ) -> Result<Result<User, ChangedMeanwhile>, StoreError> {
        let change = match renewed {
            Some(_) => "SET lastLoginAt = :at, passwordHash = :hash",
            None => "SET lastLoginAt = :at",
        };
        let request = self
            .client
            .update_item()
            .table_name(self.table(Table::Users))
            .key(KEY, text(user_key(&user.id)))
            .update_expression(change)
            .condition_expression("securityStamp = :stamp")
            .expression_attribute_values(":at", time(at))
            .expression_attribute_values(":stamp", number(user.security_stamp.0))
            .set_return_values(Some(ReturnValue::AllNew));
        let request = match renewed {
            Some(hash) => request.expression_attribute_values(":hash", text(&hash.0)),
            None => request,
        };
        match request.send().await {
            Ok(answer) => {
                let item = answer.attributes.ok_or(DamagedItem(KEY))?;
                Ok(Ok(user_from(&item)?))
            }
            Err(error) => match error.as_service_error() {
                Some(service) if service.is_conditional_check_failed_exception() => {
                    Ok(Err(ChangedMeanwhile))
                }
                _ => Err(error.into()),
            },
        }
    }

    pub(super) async fn read(&self, table: Table, key: &str) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.table(table))
            .key(KEY, text(key))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item)
    }

    /// Sets a new password, if the user is as he was: his sessions end, and every link and token of his dies.
    pub(super) fn set_password(
        &self,
        user: &UserId,
        stamp: SecurityStamp,
        password: &PasswordHash,
        sessions_not_before: Timestamp,
    ) -> TransactWriteItem {
        self.update(Table::Users, &user_key(user))
            .update_expression(
                "SET passwordHash = :hash, securityStamp = :next, sessionsNotBefore = :at",
            )
            .condition_expression("securityStamp = :stamp")
            .expression_attribute_values(":hash", text(&password.0))
            .expression_attribute_values(":stamp", number(stamp.0))
            .expression_attribute_values(":next", number(stamp.0 + 1))
            .expression_attribute_values(":at", time(sessions_not_before))
            .write()
    }

    /// Puts a user who must not exist yet.
    pub(super) fn insert_user(&self, user: &User) -> TransactWriteItem {
        self.put(Table::Users, user_to(user))
            .condition_expression("attribute_not_exists(pk)")
            .write()
    }

    /// Puts the guard of an address that nobody may hold yet.
    pub(super) fn claim_email(&self, email: &Email, owner: &UserId) -> TransactWriteItem {
        self.put(Table::Users, email_guard(email, owner))
            .condition_expression("attribute_not_exists(pk)")
            .write()
    }

    /// Hands the guard of an address from one user to another.
    pub(super) fn take_over_email(
        &self,
        email: &Email,
        from: &UserId,
        to: &UserId,
    ) -> TransactWriteItem {
        self.put(Table::Users, email_guard(email, to))
            .condition_expression("userId = :from")
            .expression_attribute_values(":from", text(from.as_str()))
            .write()
    }

    /// Deletes the guard of an address that this user holds.
    pub(super) fn release_email(&self, email: &Email, owner: &UserId) -> TransactWriteItem {
        self.delete(Table::Users, &email_key(email))
            .condition_expression("userId = :owner")
            .expression_attribute_values(":owner", text(owner.as_str()))
            .write()
    }

    /// Deletes a user whose unverified claim has expired.
    pub(super) fn delete_expired_claim(&self, user: &UserId, now: Timestamp) -> TransactWriteItem {
        self.delete(Table::Users, &user_key(user))
            .condition_expression("claimableAfter <= :now")
            .expression_attribute_values(":now", time(now))
            .write()
    }
}

pub(super) fn guarded_user(guard: &Item) -> Result<UserId, DamagedItem> {
    UserId::parse(guard.text("userId")?).ok_or(DamagedItem("userId"))
}

fn email_guard(email: &Email, owner: &UserId) -> Item {
    Item::from([
        (KEY.to_owned(), text(email_key(email))),
        ("userId".to_owned(), text(owner.as_str())),
    ])
}

fn user_to(user: &User) -> Item {
    let flag = AttributeValue::Bool;
    let attributes = [
        (KEY, Some(text(user_key(&user.id)))),
        ("userId", Some(text(user.id.as_str()))),
        ("provider", Some(text(user.provider.as_str()))),
        ("providerUserId", Some(text(&user.provider_user_id))),
        (
            "email",
            user.email.as_ref().map(|email| text(email.as_str())),
        ),
        ("emailVerified", user.email_verified.map(flag)),
        ("name", user.name.as_ref().map(text)),
        ("profilePicture", user.profile_picture.as_ref().map(text)),
        ("signUpAt", Some(time(user.sign_up_at))),
        ("lastLoginAt", Some(time(user.last_login_at))),
        (
            "passwordHash",
            user.password_hash.as_ref().map(|hash| text(&hash.0)),
        ),
        ("claimableAfter", user.claimable_after.map(time)),
        ("sessionsNotBefore", user.sessions_not_before.map(time)),
        ("securityStamp", Some(number(user.security_stamp.0))),
        ("data", user.data.to_json().map(text)),
    ];
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

pub(super) fn user_from(item: &Item) -> Result<User, DamagedItem> {
    let owned = |name| item.maybe_text(name).map(str::to_owned);
    let email = item
        .maybe_text("email")
        .map(|email| Email::parse(email).map_err(|_| DamagedItem("email")));
    let data = item
        .maybe_text("data")
        .map(|json| UserData::from_json(json).map_err(|_| DamagedItem("data")));
    Ok(User {
        id: UserId::parse(item.text("userId")?).ok_or(DamagedItem("userId"))?,
        provider: Provider::parse(item.text("provider")?).ok_or(DamagedItem("provider"))?,
        provider_user_id: item.text("providerUserId")?.to_owned(),
        email: email.transpose()?,
        email_verified: item.maybe_flag("emailVerified"),
        name: owned("name"),
        profile_picture: owned("profilePicture"),
        sign_up_at: item.time("signUpAt")?,
        last_login_at: item.time("lastLoginAt")?,
        password_hash: owned("passwordHash").map(PasswordHash),
        claimable_after: item.maybe_time("claimableAfter")?,
        sessions_not_before: item.maybe_time("sessionsNotBefore")?,
        security_stamp: stamp_from(item)?,
        data: data.transpose()?.unwrap_or_default(),
    })
}

pub(super) fn stamp_from(item: &Item) -> Result<SecurityStamp, DamagedItem> {
    u32::try_from(item.number("securityStamp")?)
        .map(SecurityStamp)
        .map_err(|_| DamagedItem("securityStamp"))
}
