// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// A stream's two words of storage, kept packed while they are worked on. From the lowest bit:
//   Terms    payer 160 | rate 64 | end 32
//   Account  payee 160 | lastPaid 32 | start 32 | provider id 31 | native 1
// An open stream has neither word zero, because neither party is the zero address. Nothing here checks a width: what
// goes in was bounded where it came from.

type Terms is uint256;

type Account is uint256;

using TermsSlot for Terms global;
using AccountSlot for Account global;

/// @title TermsSlot
/// @notice Who pays, how much a second, until when.
library TermsSlot {
    function pack(address payer_, uint256 rate_, uint256 end_) internal pure returns (Terms) {
        return Terms.wrap(end_ << 224 | rate_ << 160 | uint160(payer_));
    }

    function payer(Terms terms) internal pure returns (address) {
        return address(uint160(Terms.unwrap(terms)));
    }

    function rate(Terms terms) internal pure returns (uint256) {
        return uint64(Terms.unwrap(terms) >> 160);
    }

    function end(Terms terms) internal pure returns (uint256) {
        return Terms.unwrap(terms) >> 224;
    }

    function withEnd(Terms terms, uint256 end_) internal pure returns (Terms) {
        return Terms.wrap(uint224(Terms.unwrap(terms)) | end_ << 224);
    }
}

/// @title AccountSlot
/// @notice Who is paid, since when and up to when, for which provider, in which kind of asset.
library AccountSlot {
    function pack(address payee_, uint256 start_, uint256 providerId_, bool native_) internal pure returns (Account) {
        return Account.wrap(
            (native_ ? 1 << 255 : 0) | providerId_ << 224 | start_ << 192 | start_ << 160 | uint160(payee_)
        );
    }

    function payee(Account account) internal pure returns (address) {
        return address(uint160(Account.unwrap(account)));
    }

    function lastPaid(Account account) internal pure returns (uint256) {
        return uint32(Account.unwrap(account) >> 160);
    }

    function start(Account account) internal pure returns (uint256) {
        return uint32(Account.unwrap(account) >> 192);
    }

    function providerId(Account account) internal pure returns (uint256) {
        return Account.unwrap(account) << 1 >> 225;
    }

    function native(Account account) internal pure returns (bool) {
        return Account.unwrap(account) >> 255 == 1;
    }

    function withLastPaid(Account account, uint256 lastPaid_) internal pure returns (Account) {
        return Account.wrap(Account.unwrap(account) & ~(uint256(type(uint32).max) << 160) | lastPaid_ << 160);
    }
}
