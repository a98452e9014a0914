"""What stands on plates, containers and panels: grammars, codes with their check digits, words around them."""
import os
import tomllib

import numpy as np

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS, DIGITS = ALPHABET[10:], ALPHABET[:10]
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data")
GRAMMARS = os.path.join(DATA, "plate-grammars.toml")

# ISO 6346 letter values: 10 upwards without the multiples of 11.
_VALUES = {d: int(d) for d in DIGITS}
_v = 10
for _c in LETTERS:
    if _v % 11 == 0:
        _v += 1
    _VALUES[_c] = _v
    _v += 1

# Owner codes seen on quays (public BIC register entries, from memory of the trade); the rest of the codes are random.
OWNERS = ("MSCU MEDU MSKU MRKU MAEU MSDU TCLU TGHU TEMU TRHU TTNU CMAU CGMU APZU ECMU HLXU HLBU HLCU FCIU FSCU FFAU BMOU BEAU GESU GLDU "
          "CAIU CAXU CSNU CCLU OOLU OOCU EGHU EITU EISU EMCU ONEU NYKU KKFU MOTU TLLU TLNU UETU UACU SUDU DRYU DFSU SEGU SEKU "
          "SZLU ZCSU ZIMU YMLU YMMU HMMU HDMU WHLU WHSU PONU TCNU TCKU TXGU XINU IPXU INKU CRXU CXDU LNXU TRIU TTOU GATU GVCU "
          "GRIU ARKU TOLU WECU SMLU MNBU MWCU CXRU SZDU TRLU CBHU FBLU AMFU").split()


def check_digit(code):
    """Check digit of the first ten characters of an ISO 6346 code."""
    return sum(_VALUES[c] << i for i, c in enumerate(code[:10])) % 11 % 10


def ilu_code(rng):
    """A swap body's or trailer's code (EN 13044-1): owner key ending in A to E or K, six digits, check digit as in ISO 6346."""
    body = "".join(LETTERS[int(i)] for i in rng.integers(26, size=3)) + "ABCDEK"[int(rng.integers(6))] + "".join(DIGITS[int(i)] for i in rng.integers(10, size=6))
    return body + str(check_digit(body))


def container_code(rng):
    r = rng.random()
    if r < 0.35:
        owner = OWNERS[int(rng.integers(len(OWNERS)))]
    else:
        # the fourth letter: U containers, J and Z equipment (ISO 6346); A to K the owners of ILU codes (EN 13044)
        owner = "".join(LETTERS[int(i)] for i in rng.integers(26, size=3)) + ("U" if r < 0.80 else "JZUU"[int(rng.integers(4))] if r < 0.86 else "ABCDEFGHIK"[int(rng.integers(10))])
    body = owner + "".join(DIGITS[int(i)] for i in rng.integers(10, size=6))
    last = check_digit(body) if rng.random() < 0.75 else int(rng.integers(10))
    return body + str(last)


TYPES = "22G1 42G1 45G1 22U1 42U1 45R1 22R1 22T6 L5G1 25G1 4510 2210 4310 40G1 20G1 22G0 45G0 22K2 42P1 22P3 2200 4500 L5R1".split()


def type_code(rng):
    return TYPES[int(rng.integers(len(TYPES)))]


def arabic_plate(rng, alef=0.0):
    """(country, text as seen from left to right) of a plate of the southern Mediterranean; `|` marks a divider. `alef`: how often a letter
    is an alef beyond its share: one stroke, easily taken for a divider or a digit."""
    from faces import ARABIC_DIGITS, ARABIC_LETTERS
    n = lambda a, b: "".join(DIGITS[int(i)] for i in rng.integers(10, size=int(rng.integers(a, b + 1))))
    pick = lambda pool, a, b: "".join(pool[int(i)] for i in rng.integers(len(pool), size=int(rng.integers(a, b + 1))))
    letters = lambda a, b: "".join(ARABIC_LETTERS[0] if alef and rng.random() < alef else c for c in pick(ARABIC_LETTERS, a, b))
    r = rng.random()
    count = lambda most: str(int(rng.integers(1, most + 1)))      # serials run up: most have all their digits
    if r < 0.4:
        return "MA", count(99999) + "|" + letters(1, 1) + "|" + count(89)
    if r < 0.8:
        return "EG", pick(ARABIC_DIGITS[1:], 1, 1) + pick(ARABIC_DIGITS, 2, 3) + "|" + letters(2, 3)
    if r < 0.9:
        return "TN", count(260) + "|" + count(9999)
    return "DZ", n(5, 6) + "|" + str(int(rng.integers(1, 10))) + n(2, 2) + "|" + f"{int(rng.integers(1, 59)):02d}"


def _adr():
    with open(os.path.join(DATA, "adr.toml"), "rb") as f:
        lists = tomllib.load(f)
    return lists["kemler"].split(), lists["numbers"], [(k, un) for k, row in lists["pairs"].items() for un in row.split()]


_KEMLER, _UN, _PAIRS = _adr()


def adr_panel(rng):
    """(hazard number, UN number): mostly a pair of the dangerous goods list, else any legal hazard number above any number."""
    if rng.random() < 0.75:
        return _PAIRS[int(rng.integers(len(_PAIRS)))]
    return _KEMLER[int(rng.integers(len(_KEMLER)))], f"{int(rng.integers(_UN[0], _UN[1] + 1)):04d}"


class Grammar:
    """Samples plate texts from the shared data file."""

    def __init__(self, path=GRAMMARS):
        with open(path, "rb") as f:
            self.countries = tomllib.load(f)["country"]
        for c in self.countries:                 # classes beyond letters and digits are drawn by `arabic_plate`
            c["patterns"] = [p for p in c["patterns"] if all(ch in "LDA" or p[i - 1:i] == "\\" or ch == "\\" for i, ch in enumerate(p))]
        self.countries = [c for c in self.countries if c["patterns"]]
        self.by_region = {}
        for c in self.countries:
            group = {"AMERICA": c["code"]}.get(c["region"], "EU")
            self.by_region.setdefault(group, []).append(c)

    def issued(self, rng, regions=("EU", "BALKAN", "EAST", "NORTH")):
        """(country code, text) of a plate as it is issued: by the decoder's finer forms and their shares, where a country has them."""
        pool = [c for c in self.countries if c["region"] in regions]
        weights = np.array([c.get("weight", 1) for c in pool], float)
        country = pool[int(rng.choice(len(pool), p=weights / weights.sum()))]
        if "forms" not in country:
            return country["code"], expand(rng, country["patterns"][0], country.get("letters_excluded", ""))
        parts = [f.split(" ", 1) if f[0].isdigit() and " " in f else ("1", f) for f in country["forms"]]
        shares = np.array([float(p[0]) for p in parts])
        form = parts[int(rng.choice(len(parts), p=shares / shares.sum()))][1]
        return country["code"], expand_form(rng, form, country)

    def sample(self, rng, group="EU"):
        """(country code, text) by weight; `group` is EU (everything but America), US or BR."""
        pool = self.by_region[group]
        total = sum(c.get("weight", 1) for c in pool)
        at = rng.random() * total
        for c in pool:
            at -= c.get("weight", 1)
            if at <= 0:
                break
        pattern = c["patterns"][int(rng.integers(len(c["patterns"])))] if rng.random() < 0.6 else c["patterns"][0]
        return c["code"], expand(rng, pattern, c.get("letters_excluded", ""))


def expand_form(rng, form, country):
    """A text of a finer form: L, D, A and \\X as in patterns, P a district (two places), [ABC1-9] one of these, [^IQ] any letter but these."""
    prefixes = []
    for word in country.get("prefixes", "").split():
        low, _, high = word.partition("-")
        prefixes += [f"{n:02d}" for n in range(int(low), int(high) + 1)] if high else [word]
    out, i = "", 0
    while i < len(form):
        ch = form[i]
        if ch == "P":
            two = [p for p in prefixes if len(p) == 2]
            out += two[int(rng.integers(len(two)))]
        elif ch == "[":
            end = form.index("]", i)
            body, some, k = form[i + 1:end], "", 0
            negated, body = body.startswith("^"), body.lstrip("^")
            while k < len(body):
                if body[k + 1:k + 2] == "-":
                    some += "".join(chr(c) for c in range(ord(body[k]), ord(body[k + 2]) + 1))
                    k += 3
                else:
                    some += body[k]
                    k += 1
            pool = [c for c in LETTERS if c not in some] if negated else list(some)
            out += pool[int(rng.integers(len(pool)))]
            i = end
        elif ch == "\\":
            i += 1
            out += form[i]
        else:
            out += expand(rng, ch, country.get("letters_excluded", ""))
        i += 1
    return out


def expand(rng, pattern, excluded=""):
    letters = [x for x in LETTERS if x not in excluded]
    out, i = [], 0
    while i < len(pattern):
        ch = pattern[i]
        if ch == "\\":
            i += 1
            out.append(pattern[i])
        elif ch == "L":
            out.append(letters[int(rng.integers(len(letters)))])
        elif ch == "D":
            out.append(DIGITS[int(rng.integers(10))])
        else:
            out.append(ALPHABET[int(rng.integers(36))])
        i += 1
    return "".join(out)


def nonsense(rng, low=4, high=9):
    return "".join(ALPHABET[int(i)] for i in rng.integers(36, size=int(rng.integers(low, high + 1))))


_SYLL = "MAR SEA LINE TRANS PORT CON TI EURO GO LOG IS NOR VE GA BA RI ADRIA MED ITA ROMA AUTO CAR SER VI CE TEX CAP NA ZIO KA LO TRA DE RO LIN K".split()


def word(rng):
    """A company-like word."""
    return "".join(_SYLL[int(i)] for i in rng.integers(len(_SYLL), size=int(rng.integers(1, 4))))


def notice(rng):
    """Text found around codes that is no code: weights, phone numbers, warnings."""
    k = int(rng.integers(9))
    n = lambda a, b: int(rng.integers(a, b))
    if k == 0:
        return f"MAX GROSS {n(20000, 36000)} KG"
    if k == 1:
        return f"TARE {n(2000, 5200)} KG"
    if k == 2:
        return f"NET {n(20000, 31000)} KG"
    if k == 3:
        return f"CU CAP {n(30, 77)} {n(0, 10)} CU M"
    if k == 4:
        return f"0{n(10, 999)} {n(100000, 9999999)}"
    if k == 5:
        return f"{n(30000, 80000)} LB"
    if k == 6:
        return "CAUTION " + f"{n(2, 3)} {n(1, 9)} M HIGH"
    if k == 7:
        return word(rng) + " " + word(rng)
    return word(rng)
