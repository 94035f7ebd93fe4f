"""Writes `cases.json`: what transformers makes of chats with each of `templates/`.

    pip install transformers==5.24.0 jinja2==3.1.6
    python generate.py

The templates are written for these tests: some do what the templates of well-known models do, others use one after
another what the environment offers. In `expressions/` every line is a template of its own, and the first is put before
each of the others. The day is always 26 July 2024.
"""

import datetime
import json
from pathlib import Path

from jinja2 import TemplateError
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from transformers.utils import chat_template_utils

HERE = Path(__file__).parent
SPECIAL = {"bos_token": "<|begin_of_text|>", "eos_token": "<|end|>"}
DATE = datetime.datetime(2024, 7, 26)

SYSTEM = "system", "Answer in Spanish,\nand in fewer than 50 words."
USER = "user", "¿Qué es un intérprete?"
ODD = "user", '  <b>"Tom" & \'Jerry\'</b> {{ no }} {% raw %} \\n <|im_end|> 日本 🎲\t\n '
ASSISTANT = "assistant", " Lee órdenes.\nY las ejecuta. "
CHATS = {
    "a question": [USER],
    "instructions": [SYSTEM, USER],
    "empty instructions": [("system", ""), USER],
    "several turns": [USER, ASSISTANT, ("user", "¿Y bash?")],
    "several turns with instructions": [SYSTEM, USER, ASSISTANT, ODD],
    "special characters": [ODD],
    "it ends with an answer": [USER, ASSISTANT],
    "nothing is said": [("user", "")],
    "two users": [USER, ODD],
    "instructions alone": [SYSTEM],
}


class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return DATE


chat_template_utils.datetime = Clock


def render(tokenizer, template, messages, add_generation_prompt):
    try:
        text = tokenizer.apply_chat_template(
            messages,
            chat_template=template,
            add_generation_prompt=add_generation_prompt,
            tokenize=False,
            date_string=DATE.strftime("%d %b %Y"),
        )
        return {"text": text}
    except TemplateError as error:
        # Only what a template refuses of its own accord: everything else is a mistake in these templates.
        assert type(error) is TemplateError, error
        return {"refused": str(error)}


def main():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), **SPECIAL)
    cases, refused = [], 0
    for path in sorted((HERE / "templates").glob("*.jinja")):
        template = path.read_text(encoding="utf-8")
        for chat, said in CHATS.items():
            messages = [{"role": role, "content": content} for role, content in said]
            case = {"template": path.name, "chat": chat, "messages": messages}
            case["prompt"] = render(tokenizer, template, messages, True)
            case["closed"] = render(tokenizer, template, messages, False)
            refused += "refused" in case["prompt"]
            cases.append(case)
    assert refused > 0
    expressions = []
    messages = [{"role": role, "content": content} for role, content in CHATS["several turns"]]
    for path in sorted((HERE / "expressions").glob("*.jinja")):
        first, *others = path.read_text(encoding="utf-8").splitlines()
        for line in others:
            text = render(tokenizer, first + line, messages, True)["text"]
            expressions.append({"template": first + line, "text": text})
    written = {"special_tokens": SPECIAL, "date": DATE.date().isoformat(), "cases": cases}
    written["expressions"] = {"messages": messages, "cases": expressions}
    (HERE / "cases.json").write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases, {refused} refused; {len(expressions)} expressions")


main()
