"""What transformers makes of SmolLM2-135M-Instruct: the logits after every token of a text, and 20 greedy answers.

    pip install torch==2.15.0 transformers==5.24.0
    python smollm2.py path/to/SmolLM2-135M-Instruct path/to/smollm2.safetensors
    ENSAYO_SMOLLM2=path/to/SmolLM2-135M-Instruct ENSAYO_SMOLLM2_EXPECTED=path/to/smollm2.safetensors \\
        cargo test --release -p ensayo-engine --test parity smollm2

In f32 with eager attention. The file (40 MB) stays outside the repository. What it prints of each answer is by how much
every token was likelier than the next: below 0.001 another order of additions could say something else.
"""

import argparse

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, logging

NEW_TOKENS = 64

TEXT = """\
The lighthouse at the end of the pier had been dark for eleven years when the harbour council finally voted to repair it. \
Nobody had argued against the plan, exactly; the money had simply gone elsewhere, first to the new fish market, then to the \
sea wall after the storm of 2009, and once, memorably, to a statue of a mayor who had served for only nine weeks. The keeper's \
daughter, Ana Beltrán, was sixty-two by then and had kept the log books in a tin trunk under her bed. She brought them to the \
meeting, opened one at random, and read: "14 March, wind NW 7, visibility poor, 3 vessels passed, lamp trimmed at 02:10." Then \
she sat down.

What followed was a lesson in how repairs really happen. The lens was intact but cloudy, and cleaning it took $4,300 and the \
better part of a summer; the mechanism that turned it needed one brass gear, which a retired teacher made on his own lathe. The \
old lamp burned oil, so the engineers fitted an electric one and wrote a small program to blink it: two flashes, then a pause of \
8.5 seconds, as the charts had always promised. On the first night the whole town walked out along the pier to watch. Somebody \
had brought a guitar, somebody else a pot of soup, and when the beam swept over the water for the first time, nobody said anything.
"""

RAW = [
    "The three primary colours are",
    "Once upon a time, in a village at the foot of a mountain, there lived",
    "Water boils at 100 degrees Celsius because",
    "def fibonacci(n):\n    ",
    "Review: The controls are awful and the game crashed twice.\nSentiment: negative\n\nReview: I love the music!\nSentiment:",
    "To copy a file in a Unix shell, use the command",
    "1, 2, 4, 8, 16,",
    "Dear Sir or Madam,\n\nI am writing to",
    "The capital of Spain is Madrid. The capital of France is",
    TEXT,
]
CHAT = [
    [{"role": "user", "content": "What is a shell in an operating system? Answer in fewer than 50 words."}],
    [{"role": "user", "content": "Write a haiku about the sea."}],
    [{"role": "user", "content": "Is this review positive or negative? \"Ten hours in and I still can't beat the first level. Great fun.\""}],
    [{"role": "user", "content": "¿Cuál es la capital de Italia?"}],
    [{"role": "user", "content": "List five fruits, one a line."}],
    [
        {"role": "system", "content": "You are a strict classifier. Answer with 0 or 1 and nothing else."},
        {"role": "user", "content": "Review: a waste of money."},
    ],
    [
        {"role": "system", "content": "You answer like a pirate."},
        {"role": "user", "content": "How do I list the files of a folder?"},
    ],
    [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Nice to meet you, Ada!"},
        {"role": "user", "content": "What is my name?"},
    ],
    [{"role": "user", "content": "Explain what `grep -i 'a<b' notes.txt` does & why the quotes matter."}],
    [{"role": "user", "content": "Summarise this text in one sentence:\n\n" + TEXT}],
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help="the checkpoint's folder")
    parser.add_argument("output", help="the file to write, outside the repository")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=torch.float32, attn_implementation="eager").eval()

    chats = [tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for chat in CHAT]
    prompts = [tokenizer(text, add_special_tokens=False).input_ids for text in RAW + chats]
    end_tokens = model.generation_config.eos_token_id
    end_tokens = end_tokens if isinstance(end_tokens, list) else [end_tokens]
    text = torch.tensor(tokenizer(TEXT).input_ids)[:200]
    with torch.no_grad():
        tensors = {"text": text, "logits": model(text[None]).logits[0], "end_tokens": torch.tensor(end_tokens)}
        for number, prompt in enumerate(map(torch.tensor, prompts)):
            output = model.generate(
                prompt[None],
                attention_mask=torch.ones_like(prompt)[None],
                do_sample=False,
                eos_token_id=end_tokens,
                pad_token_id=end_tokens[0],
                max_new_tokens=NEW_TOKENS,
                return_dict_in_generate=True,
                output_logits=True,
            )
            answer = output.sequences[0, len(prompt) :]
            best = torch.cat(output.logits).topk(2).values
            if answer[-1] in end_tokens:
                answer = answer[:-1]
            tensors |= {f"{number}.prompt": prompt, f"{number}.answer": answer}
            margin = (best[:, 0] - best[:, 1]).min()
            print(f"{number}: {len(prompt)} + {len(answer)} tokens, margin {margin:.4f}: {tokenizer.decode(answer)[:80]!r}", flush=True)
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, options.output)


main()
