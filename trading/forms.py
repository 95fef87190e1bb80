"""The form of a new order: it reads what was typed and judges nothing, that is for the gates."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django import forms

from kis.accounts import MODE_NAMES, Account
from kis.client.records.orders import Side
from trading.amounts import SHARES, WON, Unit, read_number
from trading.parser import OrderWish

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
SIDE_CHOICES = (("buy", "매수"), ("sell", "매도"))
LIMIT, MARKET = "limit", "market"
KIND_CHOICES = ((LIMIT, "지정가"), (MARKET, "시장가"))
CODE = re.compile(r"Q?[0-9A-Z]{6}")
#: What a form may be opened with, and what comes back into it after somebody has typed a password again.
PREFILLED = ("account", "side", "code", "name", "kind", "quantity", "price")


class Number(forms.CharField):
    """A number as it is said: `1,000`, `10주`."""

    def __init__(self, unit: Unit, **how: Any) -> None:  # noqa: ANN401  # options of a field
        super().__init__(max_length=20, **how)
        self.unit = unit

    def clean(self, value: Any) -> Any:  # noqa: ANN401  # as Django hands it over
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_number(text, self.unit)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


def must(**words: str) -> dict[str, str]:
    return {"invalid_choice": "목록에 있는 것을 골라 주세요.", **words}


class OrderForm(forms.Form):
    """What is to be bought or sold, with which account."""

    account = forms.ChoiceField(label="계좌", error_messages=must(required="계좌를 골라 주세요."))
    side = forms.ChoiceField(
        label="구분", choices=SIDE_CHOICES, error_messages=must(required="매수와 매도 가운데 골라 주세요.")
    )
    code = forms.CharField(
        label="종목코드", max_length=10, error_messages=must(required="종목코드를 적어 주세요.")
    )
    name = forms.CharField(label="종목명", max_length=50, required=False)
    kind = forms.ChoiceField(
        label="가격 종류",
        choices=KIND_CHOICES,
        error_messages=must(required="지정가와 시장가 가운데 골라 주세요."),
    )
    quantity = Number(SHARES, label="수량", error_messages=must(required="수량을 적어 주세요."))
    price = Number(WON, label="가격", required=False)
    trading_password = forms.CharField(
        label="거래 비밀번호",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput,
        error_messages=must(required="거래 비밀번호를 적어 주세요."),
    )

    def __init__(self, *arguments: Any, accounts: Sequence[Account], **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self.accounts = accounts
        self.fields["account"].choices = [(each.label, words_of(each)) for each in accounts]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_code(self) -> str:
        code = unicodedata.normalize("NFKC", self.cleaned_data["code"]).strip().upper()
        if not CODE.fullmatch(code):
            raise forms.ValidationError("종목코드는 005930처럼 숫자와 영문 대문자 여섯 자리입니다.")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == LIMIT and "price" in cleaned and cleaned["price"] is None:
            self.add_error("price", "지정가에는 가격이 필요합니다. 시장가로 내려면 시장가를 골라 주세요.")
        if cleaned.get("kind") == MARKET and cleaned.get("price") is not None:
            self.add_error("price", "시장가에는 가격을 적지 않습니다. 지정가로 내려면 지정가를 골라 주세요.")
        return cleaned

    @property
    def chosen(self) -> Account:
        return next(each for each in self.accounts if each.label == self.cleaned_data["account"])

    @property
    def wish(self) -> OrderWish:
        values = self.cleaned_data
        return OrderWish(
            SIDES[values["side"]], values["code"], values["name"], values["quantity"], values["price"]
        )


def words_of(account: Account) -> str:
    mode = MODE_NAMES[account.mode]
    name = account.label if account.label == mode else f"{mode} {account.label}"
    return name if account.label == account.masked_no else f"{name} {account.masked_no}"
