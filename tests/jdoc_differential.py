#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares jdoc with Python's json on seeded-random documents.

Both must accept the same documents and read the same out of them: types,
order, names (repeated ones too), decoded strings, numbers as written.

Python's json is laxer than RFC 8259 and jdoc in some points. Where one of
them occurs, jdoc must refuse, and the document is counted:
  constants   NaN, Infinity and -Infinity are numbers to Python
  surrogates  an escaped surrogate without its other half is a character
  depth       nesting is bounded by the interpreter's stack only
"""
import collections
import json
import os
import random
import re
import struct
import subprocess
import sys

SEED = 8259
VALID = 4000
MUTATED = 12000
DEPTH_MAX = 32  # JDOC_DEPTH_MAX


class Lax(Exception):
    """Python accepts what jdoc must not; says which point it is."""


def refuse_constant(_):
    raise Lax('constants')


def parse(text):
    """Numbers and objects keep what they were; strings and arrays are str
    and list."""
    return json.loads(text,
                      parse_int=lambda raw: ('number', raw),
                      parse_float=lambda raw: ('number', raw),
                      parse_constant=refuse_constant,
                      object_pairs_hook=lambda pairs: ('object', pairs))


def has_surrogate(value):
    if isinstance(value, str):
        return any('\ud800' <= c <= '\udfff' for c in value)
    if isinstance(value, list):
        return any(map(has_surrogate, value))
    if isinstance(value, tuple) and value[0] == 'object':
        return any(has_surrogate(k) or has_surrogate(v) for k, v in value[1])
    return False


def depth_of(value):
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, tuple) and value[0] == 'object':
        return 1 + max((depth_of(v) for _, v in value[1]), default=0)
    return 0


def read(document):
    """The value, or None and why jdoc must refuse."""
    try:
        value = parse(document.decode('utf-8'))
    except Lax as lax:
        return None, str(lax)
    except ValueError:
        return None, 'error'
    if has_surrogate(value):
        return None, 'surrogates'
    if depth_of(value) > DEPTH_MAX:
        return None, 'depth'
    return value, None


def answers(document, refusal):
    """What jdoc may say to a document that it must refuse."""
    if refusal == 'depth':
        return ['limit']
    # Too deep before the other fault, or behind it: jdoc names the first.
    brackets = document.count(b'[') + document.count(b'{')
    return ['error', 'limit'] if brackets > DEPTH_MAX else ['error']


def scaled(raw, places):
    """In whole numbers only, so that nothing is rounded."""
    sign, whole, fraction, exponent = re.fullmatch(
        r'(-?)([0-9]+)(?:[.]([0-9]+))?(?:[eE]([-+]?[0-9]+))?', raw).groups('')
    digits = int(whole + fraction)
    shift = int(exponent or 0) - len(fraction) + places
    if digits and shift > 20:
        return 'range'
    if not digits or shift < -len(raw):
        return '0'
    number = digits * 10**shift if shift > 0 else digits // 10**-shift
    number = -number if sign else number
    return str(number) if -2**63 <= number < 2**63 else 'range'


class Mismatch(Exception):
    pass


def expect(what, got, expected):
    if got != expected:
        raise Mismatch(f'{what}: {got!r} instead of {expected!r}')


def check_raw(word, value):
    raw = bytes.fromhex(word[1:-1]).decode('utf-8')
    expect('raw is trimmed', raw.strip(' \t\r\n'), raw)
    expect('raw', parse(raw), value)


def check_string(words, value):
    expect('type', next(words), 'string')
    check_raw(next(words), value)
    expect('decoded', next(words), f'<{value.encode("utf-8").hex()}>')


def check_number(words, value):
    expect('type', next(words), 'number')
    expect('raw', next(words), f'<{value[1].encode("ascii").hex()}>')
    expect('integer', next(words), scaled(value[1], 0))
    expect('nanoseconds', next(words), scaled(value[1], 9))


def check_array(words, value):
    expect('type', next(words), 'array')
    check_raw(next(words), value)
    expect('count', next(words), str(len(value)))
    for item in value:
        check(words, item)


def check_object(words, value):
    members = value[1]
    last = {name: i for i, (name, _) in enumerate(members)}
    expect('type', next(words), 'object')
    check_raw(next(words), value)
    expect('count', next(words), str(len(members)))
    for i, (name, member) in enumerate(members):
        check_string(words, name)
        expect('member', next(words),
               'current' if last[name] == i else 'shadowed')
        check(words, member)


def check(words, value):
    if value is None or isinstance(value, bool):
        expect('type', next(words), json.dumps(value))
    elif isinstance(value, str):
        check_string(words, value)
    elif isinstance(value, list):
        check_array(words, value)
    elif value[0] == 'number':
        check_number(words, value)
    else:
        check_object(words, value)


def compare(document, line):
    """What became of one document; raises Mismatch."""
    value, refusal = read(document)
    if refusal:
        if line not in answers(document, refusal):
            raise Mismatch(f'{line!r} for a fault of the kind {refusal}')
        return refusal
    words = iter(line.split())
    check(words, value)
    expect('rest', next(words, None), None)
    return 'accepted'


class Generator:
    """Documents in all the ways that the grammar allows to write them."""

    CHARACTERS = ('abcXYZ019 _-./%\'{}[]:,' '\x7f\x80\u00fc\u00df\u07ff\u0800'
                  '\u20ac\ud7ff\ue000\ufeff\uffff\U00010000\U0001f511'
                  '\U0010ffff' '"\\\b\f\n\r\t\0\x1f')
    SHORT = {'"': '\\"', '\\': '\\\\', '/': '\\/', '\b': '\\b', '\f': '\\f',
             '\n': '\\n', '\r': '\\r', '\t': '\\t'}
    NAMES = ('a', 'b', '', 'a\0', 'password')

    def __init__(self, seed):
        self.random = random.Random(seed)

    def blank(self):
        if self.random.random() < 0.8:
            return ''
        return ''.join(self.random.choices(' \t\r\n',
                                           k=self.random.randrange(1, 4)))

    def code_unit(self, unit):
        text = f'{unit:04x}'
        return '\\u' + (text if self.random.random() < 0.5 else text.upper())

    def character(self, character):
        code = ord(character)
        way = self.random.random()
        if character in self.SHORT and way < 0.5:
            return self.SHORT[character]
        if way < 0.7 and code >= 0x20 and character not in '"\\':
            return character
        if code < 0x10000:
            return self.code_unit(code)
        return (self.code_unit(0xd800 + (code - 0x10000 >> 10)) +
                self.code_unit(0xdc00 + (code - 0x10000 & 0x3ff)))

    def string(self, characters=None):
        if characters is None:
            characters = self.random.choices(self.CHARACTERS,
                                             k=self.random.randrange(12))
        return '"' + ''.join(map(self.character, characters)) + '"'

    def digits(self, most):
        return ''.join(self.random.choices('0123456789',
                                           k=self.random.randrange(1, most)))

    def number(self):
        text = self.random.choice(('', '-'))
        text += self.random.choice(('0', str(self.random.randrange(1, 99)),
                                    '1' + self.digits(20)))
        if self.random.random() < 0.4:
            text += '.' + self.digits(self.random.choice((4, 25)))
        if self.random.random() < 0.4:
            text += self.random.choice('eE') + self.random.choice(
                ('', '+', '-')) + self.digits(self.random.choice((2, 3, 4)))
        return text

    def member(self, depth):
        name = (self.string(self.random.choice(self.NAMES))
                if self.random.random() < 0.7 else self.string())
        return name + self.blank() + ':' + self.value(depth)

    def container(self, ends, item):
        items = [item() for _ in range(self.random.randrange(5))]
        return (ends[0] + (','.join(items) if items else self.blank()) +
                ends[1])

    def value(self, depth):
        kind = self.random.randrange(8 if depth else 5)
        if kind == 0:
            text = self.random.choice(('null', 'true', 'false'))
        elif kind <= 2:
            text = self.number()
        elif kind <= 4:
            text = self.string()
        elif kind == 5:
            text = self.container('[]', lambda: self.value(depth - 1))
        else:
            text = self.container('{}', lambda: self.member(depth - 1))
        return self.blank() + text + self.blank()

    def document(self):
        text = self.value(self.random.randrange(1, 6))
        if self.random.random() < 0.03:
            levels = self.random.randrange(DEPTH_MAX - 8, DEPTH_MAX + 4)
            text = '[' * levels + text + ']' * levels
        return text.encode('utf-8')

    PIECES = (b'NaN', b'Infinity', b'-Infinity', b'\\ud800', b'\\udc00',
              b'\\u0000', b'\\', b'"', b',', b':', b'{', b'}', b'[', b']',
              b'0', b'-', b'.', b'e', b'1E+5', b'\0', b'\n', b'\x1f', b'\x7f',
              b'\x80', b'\xc0\xaf', b'\xed\xa0\x80', b'\xf4\x90\x80\x80',
              b'\xff', b'\xef\xbb\xbf', b'\xc2\xa0', b'\xe2\x80\xa8', b'//',
              b'null', b'tru', b"'", b'\\x', b'\\u12')

    def mutate(self, document, other):
        at = self.random.randrange(len(document) + 1)
        to = min(len(document), at + self.random.randrange(1, 4))
        way = self.random.randrange(6)
        if way == 0:
            middle = b''
        elif way <= 2:
            middle = self.random.choice(self.PIECES)
            to = at if way == 1 else to
        elif way == 3:
            middle = bytes([self.random.randrange(256)])
        elif way == 4:
            middle, to = b'', len(document)
        else:
            start = self.random.randrange(len(other) + 1)
            middle = other[start:start + self.random.randrange(20)]
        return document[:at] + middle + document[to:]


def documents():
    generator = Generator(SEED)
    valid = [generator.document() for _ in range(VALID)]
    mutated = []
    for i in range(MUTATED):
        document = valid[i % VALID]
        for _ in range(generator.random.randrange(1, 3)):
            document = generator.mutate(document,
                                        generator.random.choice(valid))
        mutated.append(document)
    return valid, mutated


def dump(all_documents):
    program = os.path.join(os.environ['SECRETSFS_BUILD'], 'tests', 'jdoc_dump')
    fed = b''.join(struct.pack('<I', len(document)) + document
                   for document in all_documents)
    result = subprocess.run([program], input=fed, stdout=subprocess.PIPE,
                            timeout=120, check=True)
    return result.stdout.decode('ascii').splitlines()


class Tap:
    def __init__(self, count):
        self.number = 0
        self.is_ok = True
        print(f'1..{count}')

    def result(self, is_ok, name):
        self.number += 1
        self.is_ok = self.is_ok and is_ok
        print(f'{"ok" if is_ok else "not ok"} {self.number} - {name}')


def compare_all(some_documents, lines):
    """Counts of what became of them, and how many mismatched."""
    counts = collections.Counter()
    for document, line in zip(some_documents, lines):
        try:
            counts[compare(document, line)] += 1
        except Mismatch as mismatch:
            counts['mismatch'] += 1
            if counts['mismatch'] <= 5:
                print(f'# {mismatch}\n#   in {document!r}')
    return counts


def main():
    tap = Tap(4)
    valid, mutated = documents()
    lines = dump(valid + mutated)
    tap.result(len(lines) == VALID + MUTATED, 'answers each document')

    counts = compare_all(valid, lines[:VALID])
    print(f'# valid documents: {dict(counts)}')
    tap.result(counts['accepted'] + counts['depth'] == VALID,
               'reads valid documents as Python does')

    more = compare_all(mutated, lines[VALID:])
    print(f'# mutated documents: {dict(more)}')
    tap.result(more['mismatch'] == 0 and sum(more.values()) == MUTATED,
               'agrees on mutated documents')

    # A comparison that one side always wins would compare nothing.
    counts += more
    tap.result(counts['accepted'] > VALID and counts['error'] > MUTATED / 4 and
               all(counts[lax] >= 10
                   for lax in ('constants', 'surrogates', 'depth')),
               'has tried enough of each kind')
    return 0 if tap.is_ok else 1


if __name__ == '__main__':
    sys.exit(main())
