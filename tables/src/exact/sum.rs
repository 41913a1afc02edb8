//! `sum`, computed in a type that no column can exceed and checked when it comes back to its own.

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};

use crate::columns::sql_name;
use crate::error::told;

/// The widest decimal whose sums fit 38 digits for ten thousand million rows.
pub(super) const WIDEST: u8 = 28;

/// The engine's `sum`, but for integers through 38 digits.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct CheckedSum(Sum);

/// The type in which a sum of `result` is computed: another one for integers alone. More digits than
/// 2^63 patients' integers could fill.
fn wide(result: &DataType) -> DataType {
    if result.is_integer() {
        DataType::Decimal128(38, 0)
    } else {
        result.clone()
    }
}

fn widened(field: &FieldRef) -> FieldRef {
    let wide = wide(field.data_type());
    FieldRef::new(field.as_ref().clone().with_data_type(wide))
}

/// The arguments for the engine's sum, and the type to come back to.
fn widen_args(args: AccumulatorArgs) -> (AccumulatorArgs, DataType) {
    let result = args.return_field.data_type().clone();
    let return_field = widened(&args.return_field);
    let args = AccumulatorArgs {
        return_field,
        ..args
    };
    (args, result)
}

impl AggregateUDFImpl for CheckedSum {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.0.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (args, result) = widen_args(args);
        let inner = self.0.accumulator(args)?;
        Ok(Box::new(Narrowing { inner, result }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let (args, result) = widen_args(args);
        let inner = self.0.create_sliding_accumulator(args)?;
        Ok(Box::new(Narrowing { inner, result }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let return_field = widened(&args.return_field);
        self.0.state_fields(StateFieldsArgs {
            return_field,
            ..args
        })
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let (args, result) = widen_args(args);
        let inner = self.0.create_groups_accumulator(args)?;
        Ok(Box::new(NarrowingGroups { inner, result }))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.0.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.0.reverse_expr()
    }
}

fn widen(values: &[ArrayRef], result: &DataType) -> Result<Vec<ArrayRef>> {
    let wide = wide(result);
    values.iter().map(|v| Ok(cast(v, &wide)?)).collect()
}

/// Sums in their own type.
///
/// # Errors
/// Where one does not fit.
fn narrow(sums: &dyn Array, result: &DataType) -> Result<ArrayRef> {
    let narrowed = cast(sums, result)?;
    if narrowed.null_count() == sums.null_count() {
        return Ok(narrowed);
    }
    Err(told(format!(
        "a sum is too large for {}: sum a CAST(x AS DECIMAL({WIDEST}, 0))",
        sql_name(result)
    )))
}

#[derive(Debug)]
struct Narrowing {
    inner: Box<dyn Accumulator>,
    result: DataType,
}

impl Accumulator for Narrowing {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&widen(values, &self.result)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = self.inner.evaluate()?.to_array()?;
        ScalarValue::try_from_array(&narrow(&sum, &self.result)?, 0)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&widen(values, &self.result)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

struct NarrowingGroups {
    inner: Box<dyn GroupsAccumulator>,
    result: DataType,
}

impl GroupsAccumulator for NarrowingGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let values = widen(values, &self.result)?;
        self.inner.update_batch(&values, groups, filter, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        narrow(&self.inner.evaluate(emit_to)?, &self.result)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.inner.merge_batch(states, groups, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        self.inner
            .convert_to_state(&widen(values, &self.result)?, filter)
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}
