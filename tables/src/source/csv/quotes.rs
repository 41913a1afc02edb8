//! What is said of a CSV's quotes.

use std::io;

use galen_query::quotes::QuoteFault;

/// The fault behind an error of the reader, with what a mapping can do about it.
pub(super) fn fault_message(error: &io::Error) -> Option<String> {
    let fault = error.get_ref()?.downcast_ref::<QuoteFault>()?;
    let also = match fault {
        QuoteFault::ManyLines { .. } => {
            "; close the quote, or double it; where cells are meant to go on, say multiline = true"
        }
        QuoteFault::Stray { .. } => {
            "; where the file is written without quoting, say quote = \"none\" for the source"
        }
        _ => "",
    };
    Some(format!("{fault}{also}"))
}
