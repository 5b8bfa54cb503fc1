//! Password hashes: argon2id in PHC strings (RFC 9106; OWASP Password Storage, first choice).

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::random;
use crate::domain::{Password, PasswordHash};
use crate::settings::Argon2Settings;

/// Hashes passwords and checks them, off the threads that serve requests.
///
/// At most as many hashes run at once as there are processors, so that a flood of sign-ins
/// waits its turn instead of eating the memory; the blocks of memory are kept from hash to hash.
#[derive(Clone)]
pub struct Passwords {
    cost: Cost,
    turns: Arc<Semaphore>,
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    decoy: PasswordHash,
}

/// What a password was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is the right one.
    pub matches: bool,
    /// Its hash was made with other parameters than the settings ask for now.
    pub is_outdated: bool,
}

/// A hash could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// A stored hash that is no argon2id PHC string, or would cost more than any of ours.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// argon2 refused its input.
    #[error("argon2 refused")]
    Argon2(#[source] argon2::Error),
    /// The thread that hashed is gone.
    #[error("the hash was not finished")]
    Unfinished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// The most that a stored hash may ask for: 256 MiB, 16 passes, 16 lanes.
const MOST: Cost = Cost {
    memory_kib: 256 * 1024,
    passes: 16,
    lanes: 16,
};

struct Stored {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Passwords {
    /// With the parameters of the settings.
    pub fn new(settings: &Argon2Settings) -> Self {
        let cost = Cost {
            memory_kib: settings.memory_kib,
            passes: settings.passes,
            lanes: settings.lanes,
        };
        // Random bytes that are no hash of anything: no password matches.
        let decoy = cost.phc(
            &random::bytes::<SALT_BYTES>(),
            &random::bytes::<HASH_BYTES>(),
        );
        let at_once = available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            cost,
            turns: Arc::new(Semaphore::new(at_once)),
            memory: Arc::default(),
            decoy,
        }
    }

    /// Hashes a new password with a new salt.
    pub async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        let salt = random::bytes::<SALT_BYTES>();
        let hash = self.compute(self.cost, salt.to_vec(), password).await?;
        Ok(self.cost.phc(&salt, &hash))
    }

    /// Checks a password against a stored hash. With no hash to check against it does the same
    /// work, finds nothing, and takes as long (OWASP ASVS 5.0, 6.3.8).
    pub async fn verify(
        &self,
        stored: Option<&PasswordHash>,
        password: &Password,
    ) -> Result<Verdict, HashError> {
        let stored = Stored::parse(stored.unwrap_or(&self.decoy))?;
        let hash = self.compute(stored.cost, stored.salt, password).await?;
        Ok(Verdict {
            matches: hash.ct_eq(&stored.hash).into(),
            is_outdated: stored.cost != self.cost,
        })
    }

    async fn compute(
        &self,
        cost: Cost,
        salt: Vec<u8>,
        password: &Password,
    ) -> Result<Vec<u8>, HashError> {
        let _turn = self
            .turns
            .acquire()
            .await
            .map_err(|_| HashError::Unfinished)?;
        let memory = Arc::clone(&self.memory);
        let password = password.clone();
        let work = move || {
            let mut blocks = lock(&memory).pop().unwrap_or_default();
            let hash = cost.hash(password.as_bytes(), &salt, &mut blocks);
            lock(&memory).push(blocks);
            hash
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| HashError::Unfinished)?
    }
}

/// A panic elsewhere does not make blocks of memory unfit for use.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cost {
    fn hash(
        self,
        password: &[u8],
        salt: &[u8],
        memory: &mut Vec<Block>,
    ) -> Result<Vec<u8>, HashError> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(HASH_BYTES))
            .map_err(HashError::Argon2)?;
        if memory.len() < params.block_count() {
            memory.resize(params.block_count(), Block::default());
        }
        let mut hash = vec![0; HASH_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password, salt, &mut hash, memory)
            .map_err(HashError::Argon2)?;
        Ok(hash)
    }

    fn phc(self, salt: &[u8], hash: &[u8]) -> PasswordHash {
        PasswordHash(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            self.memory_kib,
            self.passes,
            self.lanes,
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash),
        ))
    }
}

impl Stored {
    fn parse(stored: &PasswordHash) -> Result<Self, HashError> {
        Self::try_parse(&stored.0).ok_or(HashError::Unreadable)
    }

    fn try_parse(phc: &str) -> Option<Self> {
        let mut parts = phc.strip_prefix("$argon2id$v=19$")?.split('$');
        let mut parameters = parts.next()?.split(',');
        let mut parameter = |name: &str, most: u32| {
            let value = parameters.next()?.strip_prefix(name)?.parse().ok()?;
            (value <= most).then_some(value)
        };
        let cost = Cost {
            memory_kib: parameter("m=", MOST.memory_kib)?,
            passes: parameter("t=", MOST.passes)?,
            lanes: parameter("p=", MOST.lanes)?,
        };
        let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let hash = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
        let whole = parts.next().is_none() && hash.len() == HASH_BYTES;
        whole.then_some(Self { cost, salt, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passwords(memory_kib: u32) -> Passwords {
        Passwords::new(&Argon2Settings {
            memory_kib,
            passes: 2,
            lanes: 1,
        })
    }

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    async fn verdict(passwords: &Passwords, stored: Option<&PasswordHash>, text: &str) -> Verdict {
        passwords.verify(stored, &password(text)).await.unwrap()
    }

    #[tokio::test]
    async fn only_the_right_password_matches_and_no_two_hashes_are_alike() {
        let passwords = passwords(64);
        let hash = passwords.hash(&password("correct horse")).await.unwrap();
        let again = passwords.hash(&password("correct horse")).await.unwrap();
        assert_ne!(hash, again);
        let right = verdict(&passwords, Some(&hash), "correct horse").await;
        assert!(right.matches && !right.is_outdated);
        assert!(
            !verdict(&passwords, Some(&hash), "correct house")
                .await
                .matches
        );
        assert!(!verdict(&passwords, None, "correct horse").await.matches);
    }

    #[tokio::test]
    async fn a_hash_with_other_parameters_still_matches_and_is_outdated() {
        let hash = passwords(64)
            .hash(&password("correct horse"))
            .await
            .unwrap();
        let verdict = verdict(&passwords(128), Some(&hash), "correct horse").await;
        assert!(verdict.matches && verdict.is_outdated);
    }

    #[test]
    fn a_hash_is_the_one_of_the_reference_implementation() {
        // phc-winner-argon2, test.c: version 0x13, t=2, m=2^8, p=1, "password", "somesalt" (argon2id).
        let cost = Cost {
            memory_kib: 256,
            passes: 2,
            lanes: 1,
        };
        let hash = cost
            .hash(b"password", b"somesalt", &mut Vec::new())
            .unwrap();
        assert_eq!(
            cost.phc(b"somesalt", &hash).0,
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
        );
    }

    #[test]
    fn memory_kept_from_one_hash_does_not_change_the_next() {
        let cost = Cost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let mut memory = Vec::new();
        let first = cost.hash(b"password", b"somesalt", &mut memory).unwrap();
        let larger = Cost {
            memory_kib: 128,
            ..cost
        };
        larger
            .hash(b"other password", b"other salt", &mut memory)
            .unwrap();
        let again = cost.hash(b"password", b"somesalt", &mut memory).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn a_hash_that_would_cost_too_much_or_is_none_is_not_computed() {
        for phc in [
            "",
            "plain text",
            "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=4000000000,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA",
        ] {
            assert!(Stored::try_parse(phc).is_none(), "{phc}");
        }
    }
}
