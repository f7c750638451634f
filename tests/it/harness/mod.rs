//! What every end-to-end test stands on: a folder of its own, a pretend provider inside the test process (so that
//! it outlives the program when that is killed), the real binary, and a judge that knows only ledger and lists.

mod book;
mod chance;
mod child;
mod http;
mod judge;
mod proxy;
mod scene;
mod small_disk;

pub use book::{Book, text};
pub use chance::Chance;
pub use child::{Child, Ended};
pub use http::ask;
pub use judge::{Expected, judge};
pub use proxy::{Proxy, Trick};
pub use scene::{AT, PLANS, Scene, Setting, fast_folder};
pub use small_disk::SmallDisk;
