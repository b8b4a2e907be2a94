//! What a transport repeats outside the body. Only HTTP does; the ladder of the stateless era asks at the right moments.

use super::fault::Fault;
use crate::json::{Raw, Str};

/// Compares what stands outside the body with the body.
pub(crate) trait Mirror {
    /// The version named in `_meta`.
    fn version<'m>(&self, body: Str<'m>) -> Result<(), Fault<'m>>;
    /// The method.
    fn method<'m>(&self, method: Str<'m>) -> Result<(), Fault<'m>>;
    /// The parameter that names the target.
    fn name<'m>(&self, value: Str<'m>) -> Result<(), Fault<'m>>;
    /// The arguments that a tool's input schema marks.
    fn arguments<'x>(&self, schema: Raw<'x>, arguments: Raw<'x>) -> Result<(), Fault<'x>>;
}

/// A channel that repeats nothing.
pub(crate) struct Unmirrored;

impl Mirror for Unmirrored {
    fn version<'m>(&self, _: Str<'m>) -> Result<(), Fault<'m>> {
        Ok(())
    }
    fn method<'m>(&self, _: Str<'m>) -> Result<(), Fault<'m>> {
        Ok(())
    }
    fn name<'m>(&self, _: Str<'m>) -> Result<(), Fault<'m>> {
        Ok(())
    }
    fn arguments<'x>(&self, _: Raw<'x>, _: Raw<'x>) -> Result<(), Fault<'x>> {
        Ok(())
    }
}
