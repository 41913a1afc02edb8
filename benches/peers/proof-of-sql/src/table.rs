//! The committed table: borrowed columns with a commitment each, as prover and verifier ask for them.

use proof_of_sql::base::{
    commitment::{Commitment, CommittableColumn},
    database::{
        Column, ColumnType, CommitmentAccessor, DataAccessor, MetadataAccessor, SchemaAccessor,
        TableRef,
    },
};
use sqlparser::ast::Ident;

/// The name after FROM.
const NAME: &str = "patients";

#[derive(Clone)]
struct Committed<'a, C: Commitment> {
    name: Ident,
    column: Column<'a, C::Scalar>,
    commitment: C,
}

/// One table, with its commitments computed once.
#[derive(Clone)]
pub struct Table<'a, C: Commitment> {
    reference: TableRef,
    rows: usize,
    columns: Vec<Committed<'a, C>>,
}

impl<'a, C: Commitment> Table<'a, C> {
    /// Commits to columns of `rows` rows each.
    pub fn commit(
        rows: usize,
        columns: Vec<(Ident, Column<'a, C::Scalar>)>,
        setup: &C::PublicSetup<'_>,
    ) -> Self {
        let committable: Vec<CommittableColumn> = columns.iter().map(|(_, c)| c.into()).collect();
        let commitments = C::compute_commitments(&committable, 0, setup);
        let columns = columns.into_iter().zip(commitments);
        Self {
            reference: TableRef::from_names(None, NAME),
            rows,
            columns: columns
                .map(|((name, column), commitment)| Committed {
                    name,
                    column,
                    commitment,
                })
                .collect(),
        }
    }

    /// All commitments, in the columns' order.
    pub fn commitments(&self) -> impl Iterator<Item = &C> {
        self.columns.iter().map(|c| &c.commitment)
    }

    fn find(&self, table: &TableRef, name: &Ident) -> Option<&Committed<'a, C>> {
        assert_eq!(*table, self.reference, "there is one table");
        self.columns.iter().find(|c| c.name.value == name.value)
    }

    /// For names that the plan took from this table's schema.
    fn known(&self, table: &TableRef, name: &Ident) -> &Committed<'a, C> {
        self.find(table, name)
            .expect("the plan names columns of the schema")
    }
}

impl<C: Commitment> MetadataAccessor for Table<'_, C> {
    fn get_length(&self, _: &TableRef) -> usize {
        self.rows
    }

    fn get_offset(&self, _: &TableRef) -> usize {
        0
    }
}

impl<C: Commitment> DataAccessor<C::Scalar> for Table<'_, C> {
    fn get_column(&self, table: &TableRef, name: &Ident) -> Column<'_, C::Scalar> {
        self.known(table, name).column
    }
}

impl<C: Commitment> CommitmentAccessor<C> for Table<'_, C> {
    fn get_commitment(&self, table: &TableRef, name: &Ident) -> C {
        self.known(table, name).commitment.clone()
    }
}

impl<C: Commitment> SchemaAccessor for Table<'_, C> {
    fn lookup_column(&self, table: &TableRef, name: &Ident) -> Option<ColumnType> {
        self.find(table, name).map(|c| c.column.column_type())
    }

    fn lookup_schema(&self, _: &TableRef) -> Vec<(Ident, ColumnType)> {
        let columns = self.columns.iter();
        columns
            .map(|c| (c.name.clone(), c.column.column_type()))
            .collect()
    }
}
