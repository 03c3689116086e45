"""What a masked name or address still tells."""

from __future__ import annotations

import pytest

from audiences import masking


@pytest.mark.parametrize(
    ("name", "masked"), [("", ""), ("张", "张"), ("张三", "张*"), ("欧阳修文", "欧**"), ("Johnson", "J**")]
)
def test_a_name_keeps_its_first_character(name: str, masked: str) -> None:
    assert masking.name(name) == masked


@pytest.mark.parametrize(
    ("medium", "address", "masked"),
    [
        ("phone", "13800138000", "138****8000"),
        ("phone", "057488123456", "057****3456"),
        ("phone", "110", "***"),
        ("email", "zhang.san@example.cn", "z**@example.cn"),
        ("wechat", "wxid_zhang3", "wxi****g3"),
        ("wechat", "", ""),
    ],
)
def test_an_address_keeps_enough_to_be_recognised(medium: str, address: str, masked: str) -> None:
    assert masking.address(medium, address) == masked
