//! The probes' list of fields, located in one kernel.

use hullwatch_common::{OFFSET_MISSING, Offset};

use super::{Btf, FieldOffset, OffsetError};

/// A field that this kernel does not have.
#[derive(Clone, Debug)]
pub struct Missing {
    /// The field.
    pub field: Offset,
    /// Why it could not be located.
    pub reason: OffsetError,
}

/// Values for the globals of the object.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// Every global and its value: bytes, bits for a bit-field, [`OFFSET_MISSING`] where this kernel
    /// has no such field.
    pub values: Vec<(&'static str, u32)>,
    /// Fields that were not found.
    pub missing: Vec<Missing>,
}

/// Locates every field of a list.
#[must_use]
pub fn resolve(btf: &Btf, fields: &[Offset]) -> Resolution {
    let mut resolution = Resolution::default();
    for field in fields {
        let value = match btf.offset(field.structure, field.path) {
            Ok(FieldOffset::Bytes(offset) | FieldOffset::Bits { offset, .. }) => offset,
            Err(reason) => {
                resolution.missing.push(Missing {
                    field: *field,
                    reason,
                });
                OFFSET_MISSING
            }
        };
        resolution.values.push((field.name, value));
    }
    resolution
}
