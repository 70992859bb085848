"""Invented people: a name, a sex, an age for each bed, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulators import seeds

# Names of trees, birds and weather, so that nobody takes them for a neighbour.
_RUSSIAN_FAMILY = [
    "Рябинин",
    "Ольхов",
    "Снегирёв",
    "Клёнов",
    "Ветров",
    "Берестов",
    "Журавлёв",
    "Иволгин",
    "Туманов",
    "Васильков",
    "Медуницын",
    "Чижов",
    "Ковылёв",
    "Росин",
    "Зимородков",
    "Тополев",
]
_RUSSIAN_MEN = [
    "Андрей",
    "Борис",
    "Виктор",
    "Глеб",
    "Егор",
    "Илья",
    "Лев",
    "Матвей",
    "Павел",
    "Тимофей",
]
_RUSSIAN_WOMEN = [
    "Анна",
    "Вера",
    "Галина",
    "Дарья",
    "Елена",
    "Зоя",
    "Лидия",
    "Мария",
    "Нина",
    "Тамара",
]
_LATIN_FAMILY = [
    "Northgale",
    "Ashmere",
    "Larkfield",
    "Rowanbrook",
    "Heronsey",
    "Thistlewood",
    "Mistral",
    "Alderbank",
    "Sparrowhill",
    "Fernley",
    "Winterbourne",
    "Hazelden",
    "Swiftwater",
    "Maplecourt",
    "Quailridge",
    "Dunmoss",
]
_LATIN_MEN = ["Alan", "Bruno", "Clive", "Edgar", "Frank", "Hugo", "Ivor", "Leon", "Oscar", "Victor"]
_LATIN_WOMEN = [
    "Alma",
    "Clara",
    "Edith",
    "Flora",
    "Greta",
    "Helen",
    "Iris",
    "Laura",
    "Nora",
    "Vera",
]


@dataclass(frozen=True, slots=True)
class Person:
    """Who lies in a bed: age and body as recorded where they were, the name always invented."""

    family: str
    given: str
    sex: str  # F, M
    age_years: int
    height_cm: float | None = None
    weight_kg: float | None = None


def invented(seed: int, place: str) -> Person:
    """A person for a place (a bed, an ambulance case), half of them with Russian names."""
    chance = seeds.stream("person", seed, place)
    sex = chance.choice("FM")
    return named(Person("", "", sex, chance.randint(24, 88)), seed, place)


def named(person: Person, seed: int, place: str) -> Person:
    """The same person under a name that belongs to the seed and the place and fits the sex."""
    chance = seeds.stream("name", seed, place)
    woman = person.sex == "F"
    if chance.random() < 0.5:
        family = chance.choice(_RUSSIAN_FAMILY) + ("а" if woman else "")
        given = chance.choice(_RUSSIAN_WOMEN if woman else _RUSSIAN_MEN)
    else:
        family = chance.choice(_LATIN_FAMILY)
        given = chance.choice(_LATIN_WOMEN if woman else _LATIN_MEN)
    return replace(person, family=family, given=given)
