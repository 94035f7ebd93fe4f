//! The few protocol buffers that event files hold, as bytes: `event.proto` and `summary.proto` of
//! TensorFlow, `plugin_data.proto` of `TensorBoard`'s table of hyperparameters.

/// A message in the making.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the value of a field is laid out.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

impl Message {
    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field << 3 | wire as u32));
    }

    fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.0.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.push(value.to_le_bytes()[0]);
    }

    pub(super) fn integer(mut self, field: u32, value: u64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, Wire::Fixed64);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, Wire::Fixed32);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(super) fn bytes(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, Wire::Bytes);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, field: u32, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub(super) fn message(self, field: u32, value: &Self) -> Self {
        self.bytes(field, &value.0)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The first event of a file.
pub(super) fn version(time: f64) -> Message {
    Message::default().double(1, time).text(3, "brain.Event:2")
}

/// A figure at a step.
pub(super) fn scalar(time: f64, step: usize, tag: &str, value: f64) -> Message {
    #[expect(clippy::cast_possible_truncation, reason = "what TensorBoard keeps")]
    let value = Message::default().text(1, tag).float(2, value as f32);
    event(time, step, &value)
}

fn event(time: f64, step: usize, value: &Message) -> Message {
    let summary = Message::default().message(1, value);
    let event = Message::default().double(1, time);
    event.integer(2, step as u64).message(5, &summary)
}

/// The hyperparameters of a run; runs of one group are repetitions, of which `TensorBoard` shows the
/// mean.
pub(super) fn begins<'a>(
    time: f64,
    group: &str,
    settings: impl Iterator<Item = (&'a str, &'a str)>,
) -> Message {
    let mut start = Message::default();
    for (key, value) in settings {
        let entry = Message::default().text(1, key).message(2, &typed(value));
        start = start.message(1, &entry);
    }
    let start = start.text(4, group).double(5, time);
    let content = Message::default().message(3, &start);
    hyperparameters(time, "_hparams_/session_start_info", &content)
}

/// That a run has ended well.
pub(super) fn ends(time: f64) -> Message {
    const SUCCESS: u64 = 1;
    let end = Message::default().integer(1, SUCCESS).double(2, time);
    let content = Message::default().message(4, &end);
    hyperparameters(time, "_hparams_/session_end_info", &content)
}

fn hyperparameters(time: f64, tag: &str, content: &Message) -> Message {
    const FLOAT: u64 = 1;
    let plugin = Message::default().text(1, "hparams");
    let plugin = plugin.bytes(2, content.as_bytes());
    let metadata = Message::default().message(1, &plugin);
    // TensorBoard reads only what has a tensor, be it without values.
    let none = Message::default().message(2, &Message::default());
    let tensor = Message::default().integer(1, FLOAT).message(2, &none);
    let value = Message::default().text(1, tag).message(8, &tensor);
    event(time, 0, &value.message(9, &metadata))
}

/// A setting as a `google.protobuf.Value`: a number or truth value where it reads as one.
fn typed(value: &str) -> Message {
    const NUMBER: u32 = 2;
    const TEXT: u32 = 3;
    const TRUTH: u32 = 4;
    let message = Message::default();
    match value {
        "true" | "false" => message.integer(TRUTH, u64::from(value == "true")),
        _ => match value.parse::<f64>() {
            Ok(number) if number.is_finite() => message.double(NUMBER, number),
            _ => message.text(TEXT, value),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_seven_bits_a_byte() {
        // The example of the protocol buffers' own documentation.
        let message = Message::default().integer(1, 150);
        assert_eq!(message.as_bytes(), [0x08, 0x96, 0x01]);
        let message = Message::default().text(2, "testing");
        assert_eq!(message.as_bytes(), b"\x12\x07testing");
    }
}
