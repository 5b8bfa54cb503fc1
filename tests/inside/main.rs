//! What only shows from inside: tables, calls to AWS, settings of a test's own. In process only.

mod budgets;
mod coverage;
mod faults;
mod links;
mod logs;
mod permissions;
mod races;
mod readme;
mod sessions;
mod settings;
mod sign_in;
mod tables;
