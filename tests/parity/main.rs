//! ensayo against the reference implementations. Each folder holds the script that made its fixtures; the tolerances stand in the tests.

mod bert;
mod fixture;
mod ops;
mod optimizer;
mod trajectory;
