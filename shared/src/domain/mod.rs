//! The words of the field as types that cannot hold a wrong value.

mod clock;
mod email;
mod password;
mod redirect;
mod session;
mod token;
mod user;
mod user_agent;
mod user_data;

pub use clock::{Clock, iso};
pub use email::{Email, EmailError};
pub use password::{NewPassword, Password, PasswordError};
pub use redirect::{OriginPattern, PatternError, RedirectPattern, RedirectUrl};
pub use session::{Session, SessionId, SessionView};
pub use token::{AccessToken, Action, LinkToken, Purpose, TokenHash};
pub use user::{PasswordHash, Provider, SecurityStamp, User, UserId, UserView};
pub use user_agent::UserAgent;
pub use user_data::{RESERVED_FIELDS, UserData, UserDataError};
