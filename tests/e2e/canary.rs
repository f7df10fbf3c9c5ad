mod search;
mod tap;
