//! A machine for the pickles of state dicts (Python's `pickletools` describes the instructions). It
//! builds values and executes nothing: what a pickle may call is listed in [`super::globals`].
//!
//! Values lie in one table and refer to each other by index, so that no pickle can make them nest,
//! repeat or recurse beyond its own length.

use std::collections::HashMap;

use super::globals::{self, Global, Storage, Tensor};

/// Values one pickle may build; a state dict needs about 15 for each tensor.
const MOST_VALUES: usize = 2_000_000;
/// Bytes of the longest text, which is a tensor's name.
const LONGEST_TEXT: usize = 4096;

/// What a pickle builds.
#[derive(Debug)]
pub(super) enum Value {
    None,
    Bool,
    Int(i64),
    Float,
    Text(String),
    Tuple(Vec<Index>),
    List(Vec<Index>),
    Dict(Vec<(Index, Index)>),
    Global(Global),
    Storage(Storage),
    Tensor(Tensor),
}

impl Value {
    /// What it is called in messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool => "a bool",
            Self::Int(_) => "an int",
            Self::Float => "a float",
            Self::Text(_) => "a str",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Global(_) => "a class or function",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
        }
    }
}

/// A value's place in the table.
pub(super) type Index = usize;

/// All values of a pickle.
#[derive(Debug, Default)]
pub(super) struct Values(Vec<Value>);

impl Values {
    pub(super) fn get(&self, index: Index) -> &Value {
        // Indices come from `add` alone, and nothing is ever removed.
        &self.0[index]
    }

    pub(super) fn text(&self, index: Index) -> Option<&str> {
        match self.get(index) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a tuple or list.
    pub(super) fn items(&self, index: Index) -> Option<&[Index]> {
        match self.get(index) {
            Value::Tuple(items) | Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn whole(&self, index: Index) -> Option<u64> {
        match self.get(index) {
            Value::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    fn add(&mut self, value: Value) -> Result<Index, String> {
        if self.0.len() == MOST_VALUES {
            return Err(format!("its pickle builds more than {MOST_VALUES} values"));
        }
        self.0.push(value);
        Ok(self.0.len() - 1)
    }
}

/// Reads a pickle to its end and returns its values and the one it stands for.
pub(super) fn run(bytes: &[u8]) -> Result<(Values, Index), String> {
    let mut machine = Machine {
        bytes,
        values: Values::default(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        let instruction = machine.byte()?;
        if instruction == b'.' {
            let top = machine.pop()?;
            return Ok((machine.values, top));
        }
        machine.execute(instruction)?;
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    values: Values,
    stack: Vec<Index>,
    marks: Vec<usize>,
    memo: HashMap<u32, Index>,
}

impl<'a> Machine<'a> {
    #[allow(clippy::too_many_lines)]
    fn execute(&mut self, instruction: u8) -> Result<(), String> {
        match instruction {
            // PROTO and FRAME describe the pickle.
            0x80 => self.byte().map(|_| ()),
            0x95 => self.take(8).map(|_| ()),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(|_| ()),
            b'N' => self.push(Value::None),
            0x88 | 0x89 => self.push(Value::Bool),
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()))
            }
            b'K' => {
                let value = self.byte()?;
                self.push(Value::Int(value.into()))
            }
            b'M' => {
                let value = u16::from_le_bytes(self.array()?);
                self.push(Value::Int(value.into()))
            }
            0x8a => self.long(),
            b'G' => {
                self.take(8)?;
                self.push(Value::Float)
            }
            b'X' => {
                let length = u32::from_le_bytes(self.array()?);
                self.text(length as usize)
            }
            0x8c => {
                let length = self.byte()?;
                self.text(length.into())
            }
            b')' => self.push(Value::Tuple(Vec::new())),
            0x85..=0x87 => {
                let count = usize::from(instruction - 0x84);
                let items = self.pop_several(count)?;
                self.push(Value::Tuple(items))
            }
            b't' => {
                let items = self.pop_marked()?;
                self.push(Value::Tuple(items))
            }
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b'a' => {
                let items = vec![self.pop()?];
                self.append(&items)
            }
            b'e' => {
                let items = self.pop_marked()?;
                self.append(&items)
            }
            b's' => {
                let items = self.pop_several(2)?;
                self.set(&items)
            }
            b'u' => {
                let items = self.pop_marked()?;
                self.set(&items)
            }
            b'q' => {
                let place = self.byte()?;
                self.remember(place.into())
            }
            b'r' => {
                let place = u32::from_le_bytes(self.array()?);
                self.remember(place)
            }
            0x94 => {
                let place = u32::try_from(self.memo.len()).map_err(|error| error.to_string())?;
                self.remember(place)
            }
            b'h' => {
                let place = self.byte()?;
                self.recall(place.into())
            }
            b'j' => {
                let place = u32::from_le_bytes(self.array()?);
                self.recall(place)
            }
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.push(Value::Global(globals::find(module, name)?))
            }
            0x93 => {
                let names = self.pop_several(2)?;
                let name = |index| {
                    self.values
                        .text(index)
                        .ok_or("its pickle asks for something without a name")
                };
                let global = globals::find(name(names[0])?, name(names[1])?)?;
                self.push(Value::Global(global))
            }
            b'Q' => {
                let id = self.pop()?;
                let storage = globals::storage(&self.values, id)?;
                self.push(Value::Storage(storage))
            }
            b'R' => {
                let called = self.pop_several(2)?;
                match globals::call(&self.values, called[0], called[1])? {
                    globals::Called::New(value) => self.push(value),
                    globals::Called::Same(index) => {
                        self.stack.push(index);
                        Ok(())
                    }
                }
            }
            b'b' => self.build(),
            other => Err(format!(
                "its pickle has the instruction {other:#04x}, which no state dict needs"
            )),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or("its pickle breaks off")?;
        self.bytes = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    fn line(&mut self) -> Result<&'a str, String> {
        let end = self
            .bytes
            .iter()
            .take(LONGEST_TEXT)
            .position(|&byte| byte == b'\n')
            .ok_or("its pickle breaks off in a name")?;
        let line = self.take(end)?;
        self.take(1)?;
        std::str::from_utf8(line).map_err(|_| "its pickle has a name that is not text".to_owned())
    }

    fn text(&mut self, length: usize) -> Result<(), String> {
        if length > LONGEST_TEXT {
            return Err(format!("its pickle has a text of {length} bytes"));
        }
        let text = std::str::from_utf8(self.take(length)?)
            .map_err(|_| "its pickle has a text that is not UTF-8")?;
        self.push(Value::Text(text.to_owned()))
    }

    /// A whole number of up to eight bytes.
    fn long(&mut self) -> Result<(), String> {
        let length = self.byte()?;
        let bytes = self.take(length.into())?;
        if bytes.len() > 8 {
            return Err("its pickle has a number beyond 64 bits".to_owned());
        }
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.push(Value::Int(i64::from_le_bytes(wide)))
    }

    fn push(&mut self, value: Value) -> Result<(), String> {
        let index = self.values.add(value)?;
        self.stack.push(index);
        Ok(())
    }

    /// The stack above the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Index, String> {
        Ok(self.pop_several(1)?[0])
    }

    fn pop_several(&mut self, count: usize) -> Result<Vec<Index>, String> {
        let start = self.stack.len().checked_sub(count);
        match start.filter(|&start| start >= self.floor()) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err(TOO_FEW.to_owned()),
        }
    }

    fn pop_marked(&mut self) -> Result<Vec<Index>, String> {
        let mark = self.marks.pop().ok_or(TOO_FEW)?;
        // Nothing is taken from below a mark, so the stack reaches up to it.
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    /// The value that the next instructions change, which stays on the stack.
    fn top(&mut self) -> Result<&mut Value, String> {
        if self.stack.len() == self.floor() {
            return Err(TOO_FEW.to_owned());
        }
        let top = self.stack.last().ok_or(TOO_FEW)?;
        Ok(&mut self.values.0[*top])
    }

    fn append(&mut self, items: &[Index]) -> Result<(), String> {
        match self.top()? {
            Value::List(list) => {
                list.extend(items);
                Ok(())
            }
            other => Err(format!("its pickle appends to {}", other.kind())),
        }
    }

    fn set(&mut self, items: &[Index]) -> Result<(), String> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("its pickle has a key without a value".to_owned());
        }
        match self.top()? {
            Value::Dict(dict) => {
                dict.extend(pairs.iter().map(|&[key, value]| (key, value)));
                Ok(())
            }
            other => Err(format!("its pickle sets items of {}", other.kind())),
        }
    }

    /// Attributes: those of an ordered dict say which version of each module wrote it, which no
    /// reader needs.
    fn build(&mut self) -> Result<(), String> {
        self.pop()?;
        match self.top()? {
            Value::Dict(_) => Ok(()),
            other => Err(format!("its pickle sets attributes of {}", other.kind())),
        }
    }

    fn remember(&mut self, place: u32) -> Result<(), String> {
        self.top()?;
        if self.memo.len() == MOST_VALUES {
            return Err(format!(
                "its pickle remembers more than {MOST_VALUES} values"
            ));
        }
        if let Some(&top) = self.stack.last() {
            self.memo.insert(place, top);
        }
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), String> {
        let index = self
            .memo
            .get(&place)
            .ok_or("its pickle recalls what it never remembered")?;
        self.stack.push(*index);
        Ok(())
    }
}

const TOO_FEW: &str = "its pickle takes more than it has put down";
