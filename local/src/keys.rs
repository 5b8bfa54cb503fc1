//! A signing key for the laptop. In AWS a function of its own makes them.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use rsa::PrivateKey;
use rsa::pkcs8::EncodePrivateKey;
use shared::secrets::{SigningKey, SigningKeyError, random};

/// There is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key cannot be kept.
    #[error("cannot keep the signing key in {}", path.display())]
    Keep {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No key came of it.
    #[error("cannot make a signing key: {0}")]
    Make(String),
    /// The key that was kept is none.
    #[error("{} holds no signing key: delete it, and a new one is made", path.display())]
    Damaged {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: SigningKeyError,
    },
}

/// Makes a new RSA key of 2048 bits, in the form of the parameter `signing-key`.
pub fn generate() -> Result<String, KeyError> {
    let mut randomness = UnwrapErr(SysRng);
    let key = PrivateKey::new(&mut randomness, 2048)
        .map_err(|error| KeyError::Make(error.to_string()))?;
    let der = key
        .to_pkcs8_der()
        .map_err(|error| KeyError::Make(error.to_string()))?;
    Ok(SigningKey::to_json(&random::text::<9>(), der.as_bytes()))
}

/// The key kept in a folder, which only its owner can read; made when there is none.
pub fn kept_in(folder: &Path) -> Result<String, KeyError> {
    let path = folder.join("signing-key.json");
    let keep = |source| KeyError::Keep {
        path: path.clone(),
        source,
    };
    match fs::read_to_string(&path) {
        Ok(key) => {
            SigningKey::from_json(&key).map_err(|source| KeyError::Damaged {
                path: path.clone(),
                source,
            })?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = generate()?;
            fs::create_dir_all(folder).map_err(keep)?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .map_err(keep)?;
            file.write_all(key.as_bytes()).map_err(keep)?;
            Ok(key)
        }
        Err(error) => Err(keep(error)),
    }
}
