//! What Evaluate downloads: scripts of metrics, and data that they ask for. The scripts it runs are copies in `modules`.

use dscc_sdk::{Directory, Listing, Result};

use crate::downloads;

/// The folder of downloads may be the root itself, if a variable names it.
pub fn list(root: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    for folder in ["downloads", ""] {
        let entries = downloads::list(root, folder, &mut listing);
        listing.entries.extend(entries);
    }
    Ok(listing)
}
