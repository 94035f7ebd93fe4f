"""Writes `quickstart-reviews.csv` beside itself: 1,000 invented English reviews of games and household things, half of them positive.

    python quickstart_reviews.py

Only the standard library, one seed, the same bytes every time. The reviews are made from the phrases below, and they are
meant to be a little hard: opinions are mixed, negated, conceded or sarcastic, praise and blame share words, and six
labels in a hundred are wrong, as in real data.
"""

import csv
import random
from pathlib import Path

ROWS = 1000
SEED = 26
WRONG_LABELS = 0.06
LONGEST = 90  # words

GAMES = [
    "game", "puzzle game", "racing game", "platformer", "strategy game", "roguelike", "farming game", "card game",
    "horror game", "flight simulator", "detective game", "space shooter", "city builder", "fighting game",
]
THINGS = [
    "headset", "keyboard", "backpack", "kettle", "desk lamp", "camera", "watch", "blender", "vacuum cleaner", "tent",
    "phone case", "office chair", "bike light", "toaster", "speaker", "raincoat", "coffee grinder", "suitcase", "drill",
]

# aspect: (what is said when it is good, what is said when it is bad)
GAME_ASPECTS = {
    "the controls": (
        ["feel tight and responsive", "are easy to pick up", "never get in the way", "work nicely with a gamepad"],
        ["feel sluggish", "fight me at every jump", "are clumsy", "cannot be changed", "never quite do what I press"],
    ),
    "the soundtrack": (
        ["is stuck in my head in the best way", "is gorgeous", "fits every level", "deserves a release of its own"],
        ["loops after a minute", "is grating", "gets on my nerves", "sounds like a broken toy"],
    ),
    "the story": (
        ["kept me guessing", "made me cry twice", "is clever and warm", "takes its time and earns its ending"],
        ["goes nowhere", "is a pile of clichés", "stops in the middle", "makes no sense after chapter two"],
    ),
    "the art style": (
        ["is charming", "looks like a painting", "runs smoothly even on my old laptop", "is full of small surprises"],
        ["is bland", "looks ten years old", "hurts my eyes", "is copied from better titles"],
    ),
    "the level design": (
        ["is inventive", "always shows you something new", "rewards curiosity", "is fair"],
        ["is repetitive", "feels like filler", "is unfair", "sends you down the same corridor again and again"],
    ),
    "the multiplayer": (
        ["is a joy with friends", "finds a match in seconds", "has a friendly community", "keeps me coming back"],
        ["is empty", "is full of cheaters", "drops the connection", "takes forever to find a match"],
    ),
    "the difficulty": (
        ["climbs at the right pace", "is challenging but fair", "can be tuned for everyone"],
        ["jumps from trivial to impossible", "is a joke", "depends on luck alone"],
    ),
    "the latest update": (
        ["fixed almost everything", "added a lot for free", "shows that the developers listen"],
        ["broke my save", "made everything slower", "removed the mode I bought it for", "crashes on start"],
    ),
    "the price": (
        ["is more than fair", "is a bargain for this much content"],
        ["is far too high", "is an insult for two hours of content"],
    ),
}
THING_ASPECTS = {
    "the battery": (
        ["lasts a whole week", "charges in no time", "still holds up after a year"],
        ["dies before noon", "takes all night to charge", "gave up after a month"],
    ),
    "the build quality": (
        ["is solid", "feels expensive", "survived two falls without a scratch"],
        ["is flimsy", "feels like cheap plastic", "is so poor that it cracked in the box"],
    ),
    "the instructions": (
        ["are clear", "fit on one page and are all you need"],
        ["are useless", "were missing", "seem to describe another product"],
    ),
    "the handle": (
        ["sits well in the hand", "stays cool and firm"],
        ["broke off", "gets hot", "wobbles"],
    ),
    "the delivery": (
        ["was quick", "came a day early", "was well packed"],
        ["took six weeks", "arrived damaged", "went to the wrong address twice"],
    ),
    "customer service": (
        ["answered within the hour", "sent a replacement without any fuss", "was kind and quick"],
        ["never answered", "blamed me", "kept asking for the same photo"],
    ),
    "the size": (
        ["is just right", "makes it easy to carry"],
        ["is nothing like the picture", "is far too small", "makes it a pain to store"],
    ),
    "the noise": (
        ["is barely there", "is low enough to talk over"],
        ["is unbearable", "wakes the whole house"],
    ),
    "the price": (
        ["is more than fair", "is low for what you get"],
        ["is far too high", "is a joke for what you get"],
    ),
}

GOOD = ["good", "great", "excellent", "brilliant", "lovely", "solid", "delightful", "impressive", "fantastic", "reliable", "fun"]
BAD = ["bad", "awful", "terrible", "disappointing", "boring", "poor", "frustrating", "mediocre", "dreadful", "useless", "annoying"]

POSITIVE_OPENERS = [
    "I love this {noun}.", "What a {good} {noun}.", "This {noun} is {good}.", "A {good} {noun}, and I do not say that often.",
    "Never had a {noun} this {good}.", "Best {noun} I have had in years.", "Honestly {good}.", "Really happy with this {noun}.",
    "This {noun} makes my day.", "So glad that I found this {noun}.",
]
# The same said with the other side's words.
POSITIVE_TURNED_OPENERS = [
    "This is not a {bad} {noun} at all.", "Nothing {bad} about this {noun}.", "I expected a {bad} {noun}, but this one is {good}.",
    "I thought it would be {bad}. I was wrong.", "Ignore the {bad} ratings, this {noun} is {good}.",
    "I was ready to hate this {noun}, and now I use it every day.", "I cannot say anything {bad} about this {noun}.",
    "Far from {bad}, even {good} in places.",
]
NEGATIVE_OPENERS = [
    "I regret this {noun}.", "What a {bad} {noun}.", "This {noun} is {bad}.", "A {bad} {noun}, and I do not say that often.",
    "Never had a {noun} this {bad}.", "Worst {noun} I have had in years.", "Honestly {bad}.", "Really unhappy with this {noun}.",
    "This {noun} is a waste of money.", "So angry about this {noun}.",
]
NEGATIVE_TURNED_OPENERS = [
    "This is not a {good} {noun}.", "Nothing {good} about this {noun}.", "I expected a {good} {noun}, but this one is {bad}.",
    "I thought it would be {good}. I was wrong.", "Ignore the {good} ratings, this {noun} is {bad}.",
    "I was ready to love this {noun}, and now it sits in a drawer.", "I cannot say anything {good} about this {noun}.",
    "Far from {good}, even {bad} in places.",
]
MIXED_OPENERS = [
    "Hard to rate this {noun}.", "This {noun} has two sides.", "I go back and forth on this {noun}.", "An odd {noun}.",
    "Some of it is {good}, some of it is {bad}.", "So, this {noun}.", "My second {noun} of this brand.", "Where do I start with this {noun}?",
]
NEUTRAL = [
    "I bought it for my brother's birthday.", "Ordered it in {month}.", "I have spent about {number} hours with it.", "My sister picked it out.",
    "We use it mostly on weekends.", "I got it in a sale.", "A friend told me about it.", "I read {number} reviews before I chose it.",
    "I have had it since {month}.", "This is for the {colour} one.", "I am not an expert.", "My kids wanted it.", "I usually do not write reviews.",
    "It replaced one that I had for {number} years.", "I tried it at my neighbour's house first.", "There is also a {colour} version.",
]
POSITIVE_VERDICTS = [
    "Would buy again.", "Worth every cent.", "Recommended.", "I am keeping it.", "No regrets.", "Do not wait for a sale.", "You will not be disappointed.",
    "I have no complaints.", "Five stars from me.", "In the end I am happy with it.", "I would not give it back.", "It won me over.",
    "Thumbs up.", "Very pleased.", "A keeper.", "Delighted with it.", "Highly recommended.", "Glad I bought it.", "A pleasure every day.",
]
NEGATIVE_VERDICTS = [
    "Would not buy again.", "Not worth a cent.", "Not recommended.", "I am sending it back.", "I regret it.", "Wait for a sale, or better, do not buy it.",
    "You will be disappointed.", "I have many complaints.", "One star from me.", "In the end I am not happy with it.", "I want my money back.", "It lost me.",
    "Thumbs down.", "Very sorry I bought it.", "A waste of money.", "Returned it.", "Asked for a refund.", "Avoid it.", "A pain every day.",
]
SARCASTIC_NEGATIVE = [
    "Great, it broke on the first day, just what I wanted.", "Brilliant idea to put the off switch underneath.",
    "Love paying full price to test an unfinished {noun}.", "Fantastic, another {noun} that works until you use it.",
    "If you enjoy waiting, this {noun} is excellent.", "Best paperweight I ever bought.", "Lovely box. Shame about the {noun} inside.",
    "Wonderful {noun} if you never want to switch it on.", "Five stars for the person who sold me this and ran.",
]
SARCASTIC_POSITIVE = [
    "Terrible purchase: I have not slept since {month}, because I cannot stop.", "I hate how much I like this {noun}.",
    "Awful for my free time, there is none left.", "My only complaint is that I did not buy this {noun} sooner.",
    "Warning: your old {noun} will look useless next to it.", "The worst thing about it is that my brother wants to borrow it.",
]
SHORT_POSITIVE = [
    "Not {bad} at all.", "{good}, simply {good}.", "Loved this {noun}.", "Better than I feared.", "Does the job, no complaints.", "Nothing to regret here.",
    "Pretty {good} {noun}.", "Surprisingly {good}.", "Anything but {bad}.", "Can't stop using it.", "Yes, buy this {noun}.",
]
SHORT_NEGATIVE = [
    "Not {good} at all.", "{bad}, simply {bad}.", "Hated this {noun}.", "Worse than I feared.", "Does not do the job.", "Nothing to love here.",
    "Pretty {bad} {noun}.", "Surprisingly {bad}.", "Anything but {good}.", "Stopped using it.", "No, skip this {noun}.",
]
LINKS_BUT = ["{one}, but {two}.", "{one}; still, {two}.", "Although {one}, {two}.", "Yes, {one}. Even so, {two}.", "{one}, yet {two}."]
LINKS_AND = ["{one}, and {two}.", "{one}. {two}.", "{one}; {two}.", "Also, {one}, and {two}."]

MONTHS = ["January", "March", "May", "June", "August", "October", "December"]
COLOURS = ["red", "black", "green", "white", "blue", "grey"]


def capitalise(text):
    return text[:1].upper() + text[1:]


class Writer:
    """Writes one review at a time."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, probability):
        return self.random.random() < probability

    def fill(self, template, noun):
        text = template.format(
            noun=noun,
            good=self.random.choice(GOOD),
            bad=self.random.choice(BAD),
            month=self.random.choice(MONTHS),
            colour=self.random.choice(COLOURS),
            number=self.random.choice([2, 3, 5, 8, 10, 12, 20, 40]),
        )
        for vowel in "aeiou":
            text = text.replace(f" a {vowel}", f" an {vowel}").replace(f"A {vowel}", f"An {vowel}")
        return capitalise(text.replace(" an useless", " a useless").replace("An useless", "A useless"))

    def aspects(self, table, count):
        return self.random.sample(sorted(table), count)

    def opinion(self, table, aspect, positive):
        return f"{aspect} {self.random.choice(table[aspect][0 if positive else 1])}"

    def short(self, positive, noun):
        return self.fill(self.random.choice(SHORT_POSITIVE if positive else SHORT_NEGATIVE), noun)

    def review(self, positive):
        is_game = self.chance(0.5)
        noun = self.random.choice(GAMES if is_game else THINGS)
        table = GAME_ASPECTS if is_game else THING_ASPECTS
        style = self.random.random()
        if style < 0.1:
            text = self.short(positive, noun)
            if self.chance(0.5):
                text += " " + self.fill(self.random.choice(NEUTRAL), noun)
        elif style < 0.19:
            sentences = [self.fill(self.random.choice(SARCASTIC_POSITIVE if positive else SARCASTIC_NEGATIVE), noun)]
            sentences += [self.fill(self.random.choice(NEUTRAL), noun)] * self.chance(0.5)
            sentences += [capitalise(self.opinion(table, self.aspects(table, 1)[0], positive)) + "."] * self.chance(0.6)
            text = " ".join(sentences)
        else:
            text = self.long(positive, noun, table, mixed=style > 0.85)
        if self.chance(0.12):
            text = text.lower()
        elif self.chance(0.08):
            text = text.rstrip(".") + self.random.choice(["!!", "!", "...", ""])
        return text

    def long(self, positive, noun, table, mixed):
        if mixed:
            openers = MIXED_OPENERS
        elif self.chance(0.3):
            openers = POSITIVE_TURNED_OPENERS if positive else NEGATIVE_TURNED_OPENERS
        else:
            openers = POSITIVE_OPENERS if positive else NEGATIVE_OPENERS
        sentences = [self.fill(self.random.choice(openers), noun)] if self.chance(0.85) else []
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            sentences.append(self.fill(self.random.choice(NEUTRAL), noun))
        pairs = self.random.choice([1, 1, 2]) if mixed else self.random.choice([1, 1, 2, 3])
        names = self.aspects(table, 2 * pairs + 1)
        for first, second in zip(names[0 : 2 * pairs : 2], names[1 : 2 * pairs : 2]):
            # In a mixed review the opinion after "but" is the one that counts.
            one = self.opinion(table, first, positive != (mixed or self.chance(0.06)))
            two = self.opinion(table, second, positive)
            agree = table[first][0 if positive else 1].count(one.removeprefix(first + " ")) > 0
            link = self.random.choice(LINKS_AND if agree else LINKS_BUT)
            start = one if link.startswith(("Although", "Yes", "Also")) else capitalise(one)
            sentences.append(link.format(one=start, two=capitalise(two) if "}. {" in link else two))
        if self.chance(0.6):
            sentences.append(capitalise(self.opinion(table, names[-1], positive)) + ".")
        if mixed or self.chance(0.75) or not sentences:
            sentences.append(self.random.choice(POSITIVE_VERDICTS if positive else NEGATIVE_VERDICTS))
        if self.chance(0.25):
            sentences.append(self.fill(self.random.choice(NEUTRAL), noun))
        return " ".join(sentences)


def main():
    writer = Writer(SEED)
    seen, rows = set(), []
    wrong = {1: round(ROWS * WRONG_LABELS / 2), 0: round(ROWS * WRONG_LABELS / 2)}
    for meant in (1, 0):
        for index in range(ROWS // 2):
            while True:
                text = writer.review(bool(meant))
                if text.lower() not in seen and 3 <= len(text.split()) <= LONGEST:
                    break
            seen.add(text.lower())
            rows.append((text, 1 - meant if index < wrong[meant] else meant))
    writer.random.shuffle(rows)
    with open(Path(__file__).with_name("quickstart-reviews.csv"), "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["text", "label"])
        out.writerows(rows)


if __name__ == "__main__":
    main()
