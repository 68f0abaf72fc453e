"""Samples texts for line images that are put together from single characters."""
import re
from pathlib import Path

import numpy as np

from common import alphabets

SENTENCES = 3   # one in this many is read
CAPITALS = 0.2  # share of sentence parts written in capitals
ROWS = 0.2   # share of texts that are rows of digits or letters
# What may surround a word, and how often.
AROUND = {"{}.": 0.24, "{},": 0.24, "{}?": 0.07, "{}!": 0.07, "{}:": 0.06, "{};": 0.05, "({})": 0.06, '"{}"': 0.06,
          "{}'s": 0.05, "'{}'": 0.02, "{}-": 0.03, "[{}]": 0.02, "#{}": 0.02, "@{}": 0.01}

# Numbers, dates, times, prices, addresses, codes and brackets, separated by two spaces: # is a digit, ^ a capital, ~ a
# word in lower case, § a capitalised word.
FORMS = re.split("  |\n", """\
$##  $#.##  $#,###  #,###  ##,###  #.##  ##.##  .###  .## .##  ##%  #.#%  ####  ## ##  -##  +##  #+#  #-#  #*#  #/#
#x#  # x # = ##  ##:#=#  #.#-#.#  1/2  #/#  ##/##  ####-####  #/#/####  ##/##/##  ##.##.####  #.#.##  ####-##-##
#:##  ##:##  ##:##:##  #:##pm  #:## am  ##h##  #.## Uhr  ##h  ##:##-##:##  ##:## - ##:##  ## ^^^ ####  §. #, ####
€##  €#.##  ##€  ##,##€  ## €  #,## €  #.###,## €  £##  £#.##  Rs.###  Rs. ####  #,-  US$##  ##c  EUR ##,##  $### USD
### ### ####  (###) ###-####  ###-###-####  +## ## ### ## ##  ## ## ## ## ##  0### / ######  Tel. ### ##-##  ###-####
~@~.de  ~.~@~.com  ~#@~.org  ~##@~.de  ~_~@~.fr  ~@~.es  www.~.com  www.~.de  http://~.org  @~  ~.pdf  ~#  §@~.com
[#, #, #, #]  [#]  (#)  (##)  (#, #)  {#, #}  [~]  (~)  (§)  <~>  {~}  #)  #.  ^)  ^.  (^)  #st  #nd  #rd  #th  [##]
##°  ##°C  #° ##'  ##cm  ##kg  #mm  ## km  No. ##  Nr. ##  n° ##  N°#  art. ##  p. ##  ID: ######  #^  ^#  ^.^.  ^. §
^####  ^^-###  ##-^^^  ^^^ ###  ^-##  ^^####  #^##^#  ####^  ^#-^#  ^^## #### ####  ####-####  ^^^^^-^^^^^  ^^^  ^^
^ ^ ^ ^  ^ ^ ^ ^ ^ ^  ^ ^ ^ ^ ^ ^ ^  # # # #  §-§  §/§  ~/~  ~-~  ~&~  § & §  §+~  §str. ##  ##, rue §  ##### §  §, ##
« ~ »  «~»  « § ~ »  "~ ~"  '~'  ¿~?  ¿§ ~?  ¡~!  ¡§!  l'~  d'~  qu'~  l'§  ~?  ~!  ~: ~  ~; ~  ~...  ~ / ~  ~ ~ = #
~_~  * ~  - ~  ~ > #  # < ##  ~ | ~  #\\#  `~`  ~ & ~  ~'s  ~ (~)  ~, ~  §, §  §.  § ~.  ~ ~ ~  § § §  ~ ~""")


def random_text(vocabulary: list[str], rng: np.random.Generator) -> str:
    """One to five words, numbers, dates or codes, or a row of digits or letters."""
    if rng.random() < ROWS:
        return random_row(rng)
    words = rng.choice((1, 2, 3, 4, 5), p=(0.7, 0.15, 0.08, 0.04, 0.03))
    return " ".join(random_word(vocabulary, rng) for _ in range(words))


def random_word(vocabulary: list[str], rng: np.random.Generator) -> str:
    """A word as it may appear in a text, or a number, a date or a code."""
    chance = rng.random()
    if chance < 0.5:
        word = vocabulary[rng.integers(len(vocabulary))]
        word = (word, word.lower(), word.capitalize(), word.upper())[rng.choice(4, p=(0.4, 0.2, 0.2, 0.2))]
        if rng.random() < 0.22:
            word = list(AROUND)[rng.choice(len(AROUND), p=list(AROUND.values()))].format(word)
        return word
    if chance < 0.6:
        return "".join(rng.choice(list("0123456789"), rng.integers(1, 8)))
    if chance < 0.92:
        return filled(FORMS[rng.integers(len(FORMS))], vocabulary, rng)
    letters = alphabets.CHARACTERS if chance < 0.96 else alphabets.ALPHABET[1:]
    return "".join(rng.choice(list(letters), rng.integers(1, 8)))


def filled(form: str, vocabulary: list[str], rng: np.random.Generator) -> str:
    """Fill in one of FORMS."""
    def fill(match) -> str:
        if match[0] in "#^":
            return str(rng.choice(list(alphabets.CHARACTERS[:10] if match[0] == "#" else alphabets.CHARACTERS[10:36])))
        word = vocabulary[rng.integers(len(vocabulary))]
        return word.lower() if match[0] == "~" else word.capitalize()
    return re.sub("[#^~§]", fill, form)


def read_sentences(folder: str | Path) -> list[str]:
    """One in SENTENCES of the sentences in a folder's .txt files, if alphabets.ALPHABET can spell it."""
    lines = (alphabets.plain(line) for path in sorted(Path(folder).glob("*.txt"))
             for line in path.read_text("utf-8").splitlines()[::SENTENCES])
    return [line for line in lines if line and alphabets.LABELS.keys() >= set(line)]


def span(sentence: str, rng: np.random.Generator) -> str:
    """One to eight words of a sentence, in their order; sometimes in capitals, as some people write everything."""
    words = sentence.split()
    count = int(rng.integers(1, 9))
    start = int(rng.integers(max(1, len(words) - count + 1)))
    text = " ".join(words[start:start + count])
    return text.upper() if rng.random() < CAPITALS and alphabets.LABELS.keys() >= set(text.upper()) else text


def random_row(rng: np.random.Generator) -> str:
    """Digits or letters, in order or not, whole or in groups of one to nine: "ABCDE FGHIJ", "3 4", "800 555 1234"."""
    alphabet = (alphabets.CHARACTERS[:10], alphabets.CHARACTERS[10:36], alphabets.CHARACTERS[36:])[
        rng.choice(3, p=(0.5, 0.3, 0.2))]
    length = int(rng.integers(3, 27 if alphabet[0] != "0" else 21))
    if rng.random() < 0.6:
        start = 0 if rng.random() < 0.5 else rng.integers(len(alphabet))
        row = "".join(np.roll(list(alphabet), -start)[np.arange(length) % len(alphabet)])
        row = row[::-1] if rng.random() < 0.25 else row
    else:
        row = "".join(rng.choice(list(alphabet), length))
    chance = rng.random()
    if chance < 0.25:
        return row
    often = rng.choice(7, p=(0.2, 0.1, 0.2, 0.15, 0.25, 0.05, 0.05)) + 1   # one group size, or any around it
    sizes = np.full(length, often) if chance < 0.7 else rng.integers(1, often + 3, length)
    return " ".join(filter(None, map("".join, np.split(list(row), np.cumsum(sizes)))))
