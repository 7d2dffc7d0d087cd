"""What a figure is: its name, unit and aim, how it is measured, and the line it is printed as."""
import functools
import json
import math
import statistics


class Unavailable(Exception):
    """Why a figure cannot be had here."""


FIGURES = []


def figure(name, unit, aim=None):
    """Registers `measure(bench)`, which returns the value, or (value, baseline), or raises Unavailable."""
    def register(measure):
        FIGURES.append((name, unit, aim, measure))
        return measure
    return register


def shared(measure):
    """One measurement behind several figures: made once, and found unavailable once."""
    @functools.cache
    def outcome(bench):
        try:
            return measure(bench), None
        except Unavailable as reason:
            return None, str(reason)

    @functools.wraps(measure)
    def result(bench):
        value, why = outcome(bench)
        if why is not None:
            raise Unavailable(why)
        return value
    return result


def rounded(number):
    """Four digits are more than these measurements hold."""
    if number is None or number == 0 or isinstance(number, int):
        return number
    return round(number, max(0, 3 - math.floor(math.log10(abs(number)))))


def measure_line(bench, name, unit, aim, measure):
    line = {"name": name, "value": None, "unit": unit, "baseline": None, "aim": aim}
    try:
        result = measure(bench)
        value, baseline = result if isinstance(result, tuple) else (result, None)
        line |= {"value": rounded(value), "baseline": rounded(baseline)}
    except Unavailable as reason:
        line["why"] = str(reason)
    return json.dumps(line, ensure_ascii=False)


def median_ratio(pairs):
    """Of measurements (ours, baseline) made in alternation: the median of their ratios, and of the baseline."""
    pairs = list(pairs)
    return statistics.median(a / b for a, b in pairs), statistics.median(b for _, b in pairs)


def median_pair(pairs):
    """The median of each side."""
    return tuple(statistics.median(side) for side in zip(*pairs))
