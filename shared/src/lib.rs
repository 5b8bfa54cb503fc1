//! What the operations of Latchkey have in common, a room for each thing:
//!
//! | room | holds |
//! |---|---|
//! | [`domain`] | the words of the field as types: emails, passwords, users, sessions, tokens |
//! | [`http`] | the one way in and out of a request |
//! | [`store`] | users, tokens, sessions and limits in DynamoDB |
//! | [`secrets`] | randomness, password hashes, signed session tokens, API keys |
//! | [`notify`] | messages to people |
//! | [`settings`] | the one document that says how a deployment behaves |
//! | [`route`] | what a row of the route table is made of |
//! | [`aws`], [`resources`], [`telemetry`] | clients, start-up, logs |

pub mod aws;
pub mod domain;
pub mod http;
pub mod notify;
pub mod resources;
pub mod route;
pub mod secrets;
pub mod settings;
pub mod store;
pub mod telemetry;
