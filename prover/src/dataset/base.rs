//! Base columns of all chunks, in memory while something is proven of them.

use std::collections::BTreeMap;

use galen_circuits::{commitment::Blinding, prove::BaseColumn};
use galen_verifier::manifest::Dataset;
use rayon::prelude::*;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{CommittedDataset, chunk_file::BaseChunk};
use crate::ProverError;

/// The base columns that something needs: values of all patients in row order, and blinders a chunk.
pub(crate) struct BaseColumns {
    columns: BTreeMap<usize, Loaded>,
}

struct Loaded {
    values: Values,
    blindings: Vec<Blinding>,
}

#[derive(Zeroize, ZeroizeOnDrop)]
struct Values(Vec<u16>);

impl BaseColumns {
    /// Reads the wanted columns, chunk after chunk.
    pub(super) fn read(dataset: &CommittedDataset, wanted: &[usize]) -> Result<Self, ProverError> {
        let d = dataset.dataset();
        let rows = d.rows().present;
        let empty = || Loaded {
            values: Values(Vec::with_capacity(rows)),
            blindings: Vec::with_capacity(d.chunks()),
        };
        let mut columns: BTreeMap<usize, Loaded> = wanted.iter().map(|i| (*i, empty())).collect();
        // As many chunks at once as there are cores: reading one means hashing all of it.
        let step = rayon::current_num_threads();
        for first in (0..d.chunks()).step_by(step) {
            let last = (first + step).min(d.chunks());
            let chunks: Vec<BaseChunk> = (first..last)
                .into_par_iter()
                .map(|chunk| dataset.base_chunk(chunk, wanted))
                .collect::<Result<_, _>>()?;
            for chunk in &chunks {
                for (index, column) in &mut columns {
                    let own = chunk.values(*index);
                    column.values.0.extend_from_slice(&own.values);
                    column.blindings.push(Blinding::restore(own.blinding));
                }
            }
        }
        Ok(Self { columns })
    }

    /// As the proof core takes them.
    pub(crate) fn as_columns<'a>(
        &'a self,
        dataset: &'a Dataset,
    ) -> BTreeMap<usize, BaseColumn<'a>> {
        let columns = self.columns.iter();
        columns
            .map(|(index, column)| {
                let base = BaseColumn {
                    values: &column.values.0,
                    blindings: &column.blindings,
                    commitments: &dataset.commitments[*index],
                };
                (*index, base)
            })
            .collect()
    }
}
