//! What an app sees, whatever runs behind the address: one file for each operation, and one for each common rule.

mod signin_email;
