//! Sessions.

use aws_sdk_dynamodb::types::{
    AttributeValue, DeleteRequest, KeysAndAttributes, PutRequest, TransactWriteItem, WriteRequest,
};
use jiff::Timestamp;

use super::item::{DamagedItem, Item, ReadItem, expiry, text, time};
use super::schema::{EXPIRES_AT, KEY, Table};
use super::transaction::IntoWrite;
use super::users::{user_from, user_key};
use super::{Limit, Store, StoreError};
use crate::domain::{Session, SessionId, User, UserId};

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
        user_id: &UserId,
        session_id: &SessionId,
        now: Timestamp,
    ) -> Result<Option<(Session, Option<User>)>, StoreError> {
        let session_key = Item::from([
            ("userId".to_owned(), text(user_id.as_str())),
            ("sessionId".to_owned(), text(&session_id.0)),
        ]);
        let user_item_key = Item::from([(KEY.to_owned(), text(user_key(user_id)))]);
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
        let ended = user
            .as_ref()
            .and_then(|user| user.sessions_not_before)
            .is_some_and(|not_before| session.created_at <= not_before);
        if session.expires_at <= now || ended {
            return Ok(None);
        }
        Ok(Some((session, user)))
    }

    pub(super) fn put_session(&self, session: &Session) -> TransactWriteItem {
        self.put(Table::Sessions, session_to(session)).write()
    }
}

fn consistent(key: Item) -> KeysAndAttributes {
    KeysAndAttributes::builder()
        .keys(key)
        .consistent_read(true)
        .build()
        .expect("the key is set")
}

fn session_to(session: &Session) -> Item {
    let attributes: [(&str, AttributeValue); 5] = [
        ("userId", text(session.user_id.as_str())),
        ("sessionId", text(&session.id.0)),
        ("createdAt", time(session.created_at)),
        (EXPIRES_AT, expiry(session.expires_at)),
        ("userAgent", text(&session.user_agent)),
    ];
    attributes
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

fn session_from(item: &Item) -> Result<Session, DamagedItem> {
    Ok(Session {
        user_id: UserId::parse(item.text("userId")?).ok_or(DamagedItem("userId"))?,
        id: SessionId(item.text("sessionId")?.to_owned()),
        created_at: item.time("createdAt")?,
        expires_at: item.expiry(EXPIRES_AT)?,
        user_agent: item.text("userAgent")?.to_owned(),
    })
}
