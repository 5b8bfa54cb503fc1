//! Sessions.

use std::cmp::Reverse;

use aws_sdk_dynamodb::types::{
    DeleteRequest, KeysAndAttributes, PutRequest, TransactWriteItem, Update, WriteRequest,
};
use jiff::{SignedDuration, Timestamp};
use tokio::try_join;

use super::item::{DamagedItem, Item, ReadItem, expiry, text, time};
use super::schema::{EXPIRES_AT, KEY, Table};
use super::transaction::{IntoWrite, Outcome};
use super::users::{user_from, user_key};
use super::{ChangedMeanwhile, Limit, Store, StoreError};
use crate::domain::{PasswordHash, Session, SessionId, User, UserId};
use crate::secrets::SessionClaims;

/// The shortest time that the store tells apart.
pub(super) const MOMENT: SignedDuration = SignedDuration::from_millis(1);

impl Store {
    /// Begins a session and forgets the failures that a limit counted. One call.
    pub async fn begin_session(&self, session: &Session, forget: &Limit) -> Result<(), StoreError> {
        let put = PutRequest::builder()
            .set_item(Some(session_to(session)))
            .build()
            .expect("the item is set");
        let delete = DeleteRequest::builder()
            .key(KEY, text(forget.key(session.created_at)))
            .build()
            .expect("the key is set");
        let sessions = WriteRequest::builder().put_request(put).build();
        let limits = WriteRequest::builder().delete_request(delete).build();
        let answer = self
            .client
            .batch_write_item()
            .request_items(self.table(Table::Sessions), vec![sessions])
            .request_items(self.table(Table::Limits), vec![limits])
            .send()
            .await?;
        // A counter that was not deleted only counts on; a session that was not put is no session.
        let left_undone = answer
            .unprocessed_items()
            .is_some_and(|undone| undone.contains_key(&self.table(Table::Sessions)));
        if left_undone {
            return Err(StoreError::Unprocessed);
        }
        Ok(())
    }

    /// A session that is alive, with its user: it exists, has not expired, and began after the
    /// user's sessions were last ended. `None` if not. One call.
    pub async fn live_session(
        &self,
        claims: &SessionClaims,
        now: Timestamp,
    ) -> Result<Option<(Session, Option<User>)>, StoreError> {
        let session_key = key_of(claims.user_id(), &claims.session_id());
        let user_item_key = Item::from([(KEY.to_owned(), text(user_key(claims.user_id())))]);
        let answer = self
            .client
            .batch_get_item()
            .request_items(self.table(Table::Sessions), consistent(session_key))
            .request_items(self.table(Table::Users), consistent(user_item_key))
            .send()
            .await?;
        if answer
            .unprocessed_keys()
            .is_some_and(|keys| !keys.is_empty())
        {
            return Err(StoreError::Unprocessed);
        }
        let found = |table| {
            let items = answer.responses()?.get(&self.table(table))?;
            items.first()
        };
        let Some(session) = found(Table::Sessions) else {
            return Ok(None);
        };
        let session = session_from(session)?;
        let user = found(Table::Users).map(user_from).transpose()?;
        let not_before = user.as_ref().and_then(|user| user.sessions_not_before);
        let alive = session.is_alive(now, not_before);
        Ok(alive.then_some((session, user)))
    }

    /// Every session of a user that is alive, newest first. Two calls at once; more for a user with thousands.
    pub async fn live_sessions(
        &self,
        user_id: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Session>, StoreError> {
        let (user, items) = try_join!(self.user(user_id), self.session_items(user_id))?;
        // Nobody's sessions are over with him.
        let Some(user) = user else {
            return Ok(Vec::new());
        };
        let read: Result<Vec<Session>, DamagedItem> = items.iter().map(session_from).collect();
        let mut sessions = read?;
        sessions.retain(|session| session.is_alive(now, user.sessions_not_before));
        sessions.sort_by_key(|session| Reverse(session.created_at));
        Ok(sessions)
    }

    /// Ends one session; one that has ended already stays ended. One call.
    pub async fn end_session(&self, user_id: &UserId, id: &SessionId) -> Result<(), StoreError> {
        self.client
            .delete_item()
            .table_name(self.table(Table::Sessions))
            .set_key(Some(key_of(user_id, id)))
            .send()
            .await?;
        Ok(())
    }

    /// Ends every session of a user. One call; nothing is left to end of a user who is gone.
    pub async fn end_sessions(&self, user_id: &UserId, now: Timestamp) -> Result<(), StoreError> {
        // One that was kept in this very millisecond ends too.
        let not_before = now + MOMENT;
        self.transact(vec![self.end_all(user_id, not_before)])
            .await
            .map(drop)
    }

    /// Ends every session of a user but this one. One call.
    pub async fn end_other_sessions(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let writes = vec![
            self.end_all(&session.user_id, now),
            self.keep_session(session, now),
        ];
        self.transact(writes).await.map(drop)
    }

    /// Sets a new password and ends every session but this one, unless the user changed since he was read: every
    /// link and token of his dies too. One call.
    pub async fn change_password(
        &self,
        user: &User,
        password: &PasswordHash,
        session: &Session,
        now: Timestamp,
    ) -> Result<Result<(), ChangedMeanwhile>, StoreError> {
        let writes = vec![
            self.set_password(&user.id, user.security_stamp, password, now),
            self.keep_session(session, now),
        ];
        Ok(match self.transact(writes).await? {
            Outcome::Done => Ok(()),
            Outcome::Refused(_) => Err(ChangedMeanwhile),
        })
    }

    /// Keeps a session alive beyond the end of all that are alive now.
    fn keep_session(&self, session: &Session, now: Timestamp) -> TransactWriteItem {
        Update::builder()
            .table_name(self.table(Table::Sessions))
            .set_key(Some(key_of(&session.user_id, &session.id)))
            .update_expression("SET keptAt = :at")
            .condition_expression("attribute_exists(sessionId)")
            // A moment after the others ended: what is no later is over.
            .expression_attribute_values(":at", time(now + MOMENT))
            .write()
    }

    fn end_all(&self, user_id: &UserId, not_before: Timestamp) -> TransactWriteItem {
        self.update(Table::Users, &user_key(user_id))
            .update_expression("SET sessionsNotBefore = :at")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":at", time(not_before))
            .write()
    }

    async fn session_items(&self, user_id: &UserId) -> Result<Vec<Item>, StoreError> {
        let pages = self
            .client
            .query()
            .table_name(self.table(Table::Sessions))
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user_id.as_str()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        Ok(pages.collect::<Result<Vec<Item>, _>>().await?)
    }

    pub(super) fn put_session(&self, session: &Session) -> TransactWriteItem {
        self.put(Table::Sessions, session_to(session)).write()
    }
}

fn key_of(user_id: &UserId, id: &SessionId) -> Item {
    Item::from([
        ("userId".to_owned(), text(user_id.as_str())),
        ("sessionId".to_owned(), text(&id.0)),
    ])
}

fn consistent(key: Item) -> KeysAndAttributes {
    KeysAndAttributes::builder()
        .keys(key)
        .consistent_read(true)
        .build()
        .expect("the key is set")
}

fn session_to(session: &Session) -> Item {
    let attributes = [
        ("userId", Some(text(session.user_id.as_str()))),
        ("sessionId", Some(text(&session.id.0))),
        ("createdAt", Some(time(session.created_at))),
        (EXPIRES_AT, Some(expiry(session.expires_at))),
        ("keptAt", session.kept_at.map(time)),
        ("userAgent", Some(text(&session.user_agent))),
    ];
    attributes
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn session_from(item: &Item) -> Result<Session, DamagedItem> {
    Ok(Session {
        user_id: UserId::parse(item.text("userId")?).ok_or(DamagedItem("userId"))?,
        id: SessionId(item.text("sessionId")?.to_owned()),
        created_at: item.time("createdAt")?,
        expires_at: item.expiry(EXPIRES_AT)?,
        kept_at: item.maybe_time("keptAt")?,
        user_agent: item.text("userAgent")?.to_owned(),
    })
}
