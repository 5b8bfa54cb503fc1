//! How often a caller may try: a counter for each thing that is limited, and each window of time.

use std::net::IpAddr;

use ipnet::{Ipv4Net, Ipv6Net};
use jiff::{SignedDuration, Timestamp};

use super::item::{expiry, number, text};
use super::schema::{KEY, Table};
use super::{Store, StoreError};
use crate::domain::{Email, UserId};

/// So many of one kind, for one subject, in each window of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    kind: &'static str,
    subject: String,
    most: u32,
    window_seconds: i64,
}

/// It was not counted.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// The window is full.
    #[error("too many, for the next {retry_after_seconds} seconds")]
    Reached {
        /// When the next window begins.
        retry_after_seconds: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const HOUR: i64 = 3_600;
const QUARTER: i64 = 900;

impl Limit {
    /// Sign-ups from one address.
    pub fn sign_ups(caller: IpAddr, most: u32) -> Self {
        Self::new("sign-up", network(caller), most, HOUR)
    }

    /// Wrong passwords for one account from one address. Whoever guesses from elsewhere cannot lock its owner out.
    pub fn wrong_passwords(email: &Email, caller: IpAddr, most: u32) -> Self {
        let subject = format!("{email}#{}", network(caller));
        Self::new("sign-in", subject, most, QUARTER)
    }

    /// Wrong old passwords of one user who changes it.
    pub fn wrong_old_passwords(user: &UserId, most: u32) -> Self {
        Self::new("change-pwd", user.to_string(), most, QUARTER)
    }

    /// Mails to one address that somebody asked for.
    pub fn mails(email: &Email, most: u32) -> Self {
        Self::new("mail", email.as_str().to_owned(), most, HOUR)
    }

    fn new(kind: &'static str, subject: String, most: u32, window_seconds: i64) -> Self {
        Self {
            kind,
            subject,
            most,
            window_seconds,
        }
    }

    /// The counter's key at a time: `<kind>#<subject>#<window>`.
    pub(super) fn key(&self, now: Timestamp) -> String {
        let window = now.as_second().div_euclid(self.window_seconds);
        format!("{}#{}#{window}", self.kind, self.subject)
    }

    fn window_end(&self, now: Timestamp) -> Timestamp {
        let into = now.as_second().rem_euclid(self.window_seconds);
        now + SignedDuration::from_secs(self.window_seconds - into)
    }
}

/// The network that counts as one caller: an IPv4 address, or the /64 of an IPv6 address, which
/// is what one household or server gets.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Net::from(address).addr().to_string(),
        IpAddr::V6(address) => {
            let net = Ipv6Net::new_assert(address, 64).trunc();
            net.to_string()
        }
    }
}

impl Store {
    /// Counts one, unless the window is full. One call.
    pub async fn count(&self, limit: &Limit, now: Timestamp) -> Result<(), LimitError> {
        let end = limit.window_end(now);
        let sent = self
            .client
            .update_item()
            .table_name(self.table(Table::Limits))
            .key(KEY, text(limit.key(now)))
            .update_expression("ADD hits :one SET expiresAt = :end")
            .condition_expression("attribute_not_exists(hits) OR hits < :most")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(limit.most))
            .expression_attribute_values(":end", expiry(end))
            .send()
            .await;
        let Err(error) = sent else { return Ok(()) };
        match error.as_service_error() {
            Some(service) if service.is_conditional_check_failed_exception() => {
                let left = end.duration_since(now).as_secs().max(1);
                Err(LimitError::Reached {
                    retry_after_seconds: u32::try_from(left).unwrap_or(u32::MAX),
                })
            }
            _ => Err(StoreError::from(error).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_counts_as_one_caller() {
        let key = |ip: &str| {
            let now = Timestamp::from_second(7_200).unwrap();
            Limit::sign_ups(ip.parse().unwrap(), 1).key(now)
        };
        assert_eq!(key("2001:db8:1:2:3::4"), "sign-up#2001:db8:1:2::/64#2");
        assert_eq!(key("2001:db8:1:2:ffff::"), key("2001:db8:1:2:3::4"));
        assert_ne!(key("2001:db8:1:3::"), key("2001:db8:1:2::"));
        assert_eq!(key("::ffff:203.0.113.7"), key("203.0.113.7"));
        assert_ne!(key("203.0.113.8"), key("203.0.113.7"));
    }

    #[test]
    fn a_window_ends_when_the_next_begins() {
        let limit = Limit::sign_ups(IpAddr::from([127, 0, 0, 1]), 1);
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(limit.window_end(at(7_200)), at(10_800));
        assert_eq!(limit.window_end(at(10_799)), at(10_800));
        assert_ne!(limit.key(at(10_799)), limit.key(at(10_800)));
    }
}
