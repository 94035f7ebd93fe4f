//! ensayo against the reference implementations. Each folder holds the script that made its fixtures; the tolerances stand in the tests.

mod adapters;
mod bert;
mod fixture;
mod ops;
mod optimizer;
mod pytorch_bin;
mod roberta;
mod trajectory;
