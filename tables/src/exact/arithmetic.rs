//! Integer `+`, `-` and `*` that fail where the result does not fit, as PostgreSQL's do.

use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr_common::datum::apply;

/// One checked operation over two integers of one type.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Checked {
    op: Operator,
    operand: DataType,
    signature: Signature,
}

impl Checked {
    /// The checked operation in place of `left op right`; `None` where the engine's own is exact or fails.
    pub(super) fn of(op: Operator, left: &DataType, right: &DataType) -> Option<Self> {
        let wraps = matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply);
        (wraps && left.is_integer() && left == right).then(|| Self {
            op,
            operand: left.clone(),
            signature: Signature::exact(vec![left.clone(); 2], Volatility::Immutable),
        })
    }
}

impl ScalarUDFImpl for Checked {
    fn name(&self) -> &str {
        match self.op {
            Operator::Plus => "plus",
            Operator::Minus => "minus",
            _ => "times",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.operand.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let kernel = match self.op {
            Operator::Plus => add,
            Operator::Minus => sub,
            _ => mul,
        };
        apply(&args.args[0], &args.args[1], kernel)
    }
}
