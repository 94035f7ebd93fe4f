//! Everything a pickled state dict may name and call. Nothing is imported or executed: each name
//! stands for a few lines here, and all others are refused.

use super::machine::{Index, Value, Values};

/// Dimensions of the tensors that are read.
const MOST_DIMENSIONS: usize = 8;

/// A class or function that a state dict names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Global {
    /// `collections.OrderedDict`.
    OrderedDict,
    /// `torch._utils._rebuild_tensor_v2`.
    RebuildTensor,
    /// `torch._utils._rebuild_parameter`.
    RebuildParameter,
    /// `torch.FloatStorage` and its like.
    StorageOf(Number),
}

/// A number format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    F64,
    F32,
    F16,
    Bf16,
    /// A whole number or truth value of so many bytes.
    Whole(u8),
}

impl Number {
    /// Bytes of one value.
    pub(super) fn width(self) -> u8 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Whole(width) => width,
        }
    }
}

/// Values in a row, in a file of the archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage {
    pub(super) number: Number,
    /// The text that names the file.
    pub(super) key: Index,
    pub(super) elements: u64,
}

/// A view of a storage. Offset and strides count values.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) storage: Storage,
    pub(super) offset: u64,
    pub(super) shape: Vec<u64>,
    pub(super) strides: Vec<u64>,
}

/// What a call gives.
pub(super) enum Called {
    New(Value),
    /// One of its arguments.
    Same(Index),
}

/// What a name stands for.
pub(super) fn find(module: &str, name: &str) -> Result<Global, String> {
    let storage = |number| Ok(Global::StorageOf(number));
    match (module, name) {
        ("collections", "OrderedDict") => Ok(Global::OrderedDict),
        ("torch._utils", "_rebuild_tensor_v2") => Ok(Global::RebuildTensor),
        ("torch._utils", "_rebuild_parameter") => Ok(Global::RebuildParameter),
        ("torch", "DoubleStorage") => storage(Number::F64),
        ("torch", "FloatStorage") => storage(Number::F32),
        ("torch", "HalfStorage") => storage(Number::F16),
        ("torch", "BFloat16Storage") => storage(Number::Bf16),
        ("torch", "LongStorage") => storage(Number::Whole(8)),
        ("torch", "IntStorage") => storage(Number::Whole(4)),
        ("torch", "ShortStorage") => storage(Number::Whole(2)),
        ("torch", "CharStorage" | "ByteStorage" | "BoolStorage") => storage(Number::Whole(1)),
        ("torch._utils", "_rebuild_qtensor")
        | ("torch", "QInt8Storage" | "QUInt8Storage" | "QInt32Storage") => Err(
            "its weights are quantised to 8-bit integers; use the checkpoint that they were quantised from"
                .to_owned(),
        ),
        ("torch._utils", "_rebuild_tensor_v3") => Err(
            "it holds numbers of a format that is not read from such files, perhaps 8-bit floating point; use a checkpoint in f32, f16 or bf16"
                .to_owned(),
        ),
        _ => Err(format!(
            "its pickle asks for `{}.{}`, which a plain state dict does not need; nothing of it was executed",
            short(module),
            short(name)
        )),
    }
}

/// A name as messages show it.
fn short(name: &str) -> String {
    name.chars().take(80).collect()
}

/// A storage from its persistent id: `("storage", class, key, location, elements)`.
pub(super) fn storage(values: &Values, id: Index) -> Result<Storage, String> {
    let storage = values.items(id).and_then(|items| {
        let &[tag, class, key, _location, elements] = items else {
            return None;
        };
        let Value::Global(Global::StorageOf(number)) = values.get(class) else {
            return None;
        };
        (values.text(tag)? == "storage").then_some(())?;
        values.text(key)?;
        Some(Storage {
            number: *number,
            key,
            elements: values.whole(elements)?,
        })
    });
    storage.ok_or_else(|| "its pickle refers to something that is not a storage".to_owned())
}

/// Calls a global.
pub(super) fn call(values: &Values, function: Index, arguments: Index) -> Result<Called, String> {
    let (Value::Global(global), Value::Tuple(arguments)) =
        (values.get(function), values.get(arguments))
    else {
        return Err(format!("its pickle calls {}", values.get(function).kind()));
    };
    match (global, arguments.as_slice()) {
        (Global::OrderedDict, []) => Ok(Called::New(Value::Dict(Vec::new()))),
        (Global::OrderedDict, &[pairs]) => pairs_of(values, pairs)
            .map(|pairs| Called::New(Value::Dict(pairs)))
            .ok_or_else(|| {
                "its pickle makes a dict of something that is not a list of pairs".into()
            }),
        // The rest says whether it needs a gradient, which hooks it has and, since 2.0, what else
        // it carries.
        (Global::RebuildTensor, &[storage, offset, shape, strides, _, _, ..]) => {
            tensor(values, storage, offset, shape, strides)
                .map(|tensor| Called::New(Value::Tensor(tensor)))
        }
        (Global::RebuildParameter, &[data, _, _])
            if matches!(values.get(data), Value::Tensor(_)) =>
        {
            Ok(Called::Same(data))
        }
        _ => Err(format!(
            "its pickle calls {global:?} with {} arguments that do not fit",
            arguments.len()
        )),
    }
}

fn pairs_of(values: &Values, list: Index) -> Option<Vec<(Index, Index)>> {
    let pairs = values.items(list)?.iter().map(|&pair| {
        let &[key, value] = values.items(pair)? else {
            return None;
        };
        Some((key, value))
    });
    pairs.collect()
}

fn tensor(
    values: &Values,
    storage: Index,
    offset: Index,
    shape: Index,
    strides: Index,
) -> Result<Tensor, String> {
    let Value::Storage(storage) = values.get(storage) else {
        return Err(format!(
            "its pickle makes a tensor of {}",
            values.get(storage).kind()
        ));
    };
    let numbers = |index| {
        let items = values.items(index)?;
        (items.len() <= MOST_DIMENSIONS).then_some(())?;
        let numbers = items.iter().map(|&item| values.whole(item));
        numbers.collect::<Option<Vec<u64>>>()
    };
    match (values.whole(offset), numbers(shape), numbers(strides)) {
        (Some(offset), Some(shape), Some(strides)) if shape.len() == strides.len() => Ok(Tensor {
            storage: *storage,
            offset,
            shape,
            strides,
        }),
        _ => Err(format!(
            "its pickle has a tensor whose shape or strides are not up to {MOST_DIMENSIONS} whole numbers each"
        )),
    }
}
