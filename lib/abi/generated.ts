//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// IComputeRegistry
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const iComputeRegistryAbi = [
  {
    type: 'error',
    inputs: [{ name: 'asset', internalType: 'address', type: 'address' }],
    name: 'ComputeRegistry_AssetNotContract',
  },
  {
    type: 'error',
    inputs: [{ name: 'length', internalType: 'uint256', type: 'uint256' }],
    name: 'ComputeRegistry_EndpointLength',
  },
  {
    type: 'error',
    inputs: [{ name: 'length', internalType: 'uint256', type: 'uint256' }],
    name: 'ComputeRegistry_ModelLength',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'owner', internalType: 'address', type: 'address' },
    ],
    name: 'ComputeRegistry_NotOwner',
  },
  {
    type: 'error',
    inputs: [{ name: 'caller', internalType: 'address', type: 'address' }],
    name: 'ComputeRegistry_NotPaymentContract',
  },
  {
    type: 'error',
    inputs: [
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'ComputeRegistry_PriceOutOfRange',
  },
  {
    type: 'error',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'ComputeRegistry_UnknownProvider',
  },
  {
    type: 'error',
    inputs: [{ name: 'serviceType', internalType: 'uint256', type: 'uint256' }],
    name: 'ComputeRegistry_UnknownServiceType',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'count',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'earned',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'CompletionRecorded',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'owner',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'modelHash',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
      { name: 'model', internalType: 'string', type: 'string', indexed: false },
      {
        name: 'asset',
        internalType: 'address',
        type: 'address',
        indexed: false,
      },
      {
        name: 'pricePerSecond',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'endpoint',
        internalType: 'string',
        type: 'string',
        indexed: false,
      },
      {
        name: 'serviceType',
        internalType: 'uint8',
        type: 'uint8',
        indexed: false,
      },
    ],
    name: 'ProviderRegistered',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'signer',
        internalType: 'address',
        type: 'address',
        indexed: false,
      },
    ],
    name: 'ProviderSignerSet',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'pricePerSecond',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'endpoint',
        internalType: 'string',
        type: 'string',
        indexed: false,
      },
      { name: 'active', internalType: 'bool', type: 'bool', indexed: false },
    ],
    name: 'ProviderUpdated',
  },
  {
    type: 'function',
    inputs: [],
    name: 'getActiveProviderIds',
    outputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'offset', internalType: 'uint256', type: 'uint256' },
      { name: 'limit', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'getActiveProviderIds',
    outputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'model', internalType: 'string', type: 'string' }],
    name: 'getCheapestProvider',
    outputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'model', internalType: 'string', type: 'string' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'getCheapestProvider',
    outputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'getOffer',
    outputs: [
      { name: 'owner', internalType: 'address', type: 'address' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'active', internalType: 'bool', type: 'bool' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'getProvider',
    outputs: [
      {
        name: 'provider',
        internalType: 'struct IComputeRegistry.Provider',
        type: 'tuple',
        components: [
          { name: 'owner', internalType: 'address', type: 'address' },
          { name: 'pricePerSecond', internalType: 'uint64', type: 'uint64' },
          { name: 'active', internalType: 'bool', type: 'bool' },
          { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
          { name: 'signer', internalType: 'address', type: 'address' },
          { name: 'registeredAt', internalType: 'uint32', type: 'uint32' },
          { name: 'completions', internalType: 'uint64', type: 'uint64' },
          { name: 'asset', internalType: 'address', type: 'address' },
          { name: 'earned', internalType: 'uint128', type: 'uint128' },
          { name: 'model', internalType: 'string', type: 'string' },
          { name: 'endpoint', internalType: 'string', type: 'string' },
        ],
      },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    name: 'getProviders',
    outputs: [
      {
        name: 'providers',
        internalType: 'struct IComputeRegistry.Provider[]',
        type: 'tuple[]',
        components: [
          { name: 'owner', internalType: 'address', type: 'address' },
          { name: 'pricePerSecond', internalType: 'uint64', type: 'uint64' },
          { name: 'active', internalType: 'bool', type: 'bool' },
          { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
          { name: 'signer', internalType: 'address', type: 'address' },
          { name: 'registeredAt', internalType: 'uint32', type: 'uint32' },
          { name: 'completions', internalType: 'uint64', type: 'uint64' },
          { name: 'asset', internalType: 'address', type: 'address' },
          { name: 'earned', internalType: 'uint128', type: 'uint128' },
          { name: 'model', internalType: 'string', type: 'string' },
          { name: 'endpoint', internalType: 'string', type: 'string' },
        ],
      },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'model', internalType: 'string', type: 'string' },
      { name: 'offset', internalType: 'uint256', type: 'uint256' },
      { name: 'limit', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'getProvidersByModel',
    outputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'model', internalType: 'string', type: 'string' },
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'offset', internalType: 'uint256', type: 'uint256' },
      { name: 'limit', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'getProvidersByModel',
    outputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'getRegistryStats',
    outputs: [
      { name: 'total', internalType: 'uint256', type: 'uint256' },
      { name: 'active', internalType: 'uint256', type: 'uint256' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'getSigner',
    outputs: [{ name: 'signer', internalType: 'address', type: 'address' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'wallet', internalType: 'address', type: 'address' },
      { name: 'offset', internalType: 'uint256', type: 'uint256' },
      { name: 'limit', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'getWalletProviders',
    outputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'earned', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'recordCompletion',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'count', internalType: 'uint256', type: 'uint256' },
      { name: 'earned', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'recordCompletions',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'model', internalType: 'string', type: 'string' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'endpoint', internalType: 'string', type: 'string' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'registerProvider',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'model', internalType: 'string', type: 'string' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'endpoint', internalType: 'string', type: 'string' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
    ],
    name: 'registerProvider',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'signer', internalType: 'address', type: 'address' },
    ],
    name: 'setProviderSigner',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'endpoint', internalType: 'string', type: 'string' },
      { name: 'active', internalType: 'bool', type: 'bool' },
    ],
    name: 'updateProvider',
    outputs: [],
    stateMutability: 'nonpayable',
  },
] as const

//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// IStreamPay
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const iStreamPayAbi = [
  {
    type: 'error',
    inputs: [
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'expected', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_AssetMismatch',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'owed', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_BadSettlementSignature',
  },
  {
    type: 'error',
    inputs: [
      { name: 'delivered', internalType: 'uint256', type: 'uint256' },
      { name: 'asked', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_DeliveredLess',
  },
  {
    type: 'error',
    inputs: [
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
      { name: 'minimum', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_DepositTooSmall',
  },
  { type: 'error', inputs: [], name: 'StreamPay_DirectTransfer' },
  {
    type: 'error',
    inputs: [
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'max', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_DurationOutOfRange',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'caller', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_NotParty',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'payee', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_NotPayee',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'payer', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_NotPayer',
  },
  {
    type: 'error',
    inputs: [
      { name: 'account', internalType: 'address', type: 'address' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_NothingCredited',
  },
  {
    type: 'error',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_NothingToWithdraw',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'recipient', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_PartiesMismatch',
  },
  {
    type: 'error',
    inputs: [{ name: 'providerId', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_ProviderInactive',
  },
  {
    type: 'error',
    inputs: [
      { name: 'ratePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_RateBelowPrice',
  },
  {
    type: 'error',
    inputs: [
      { name: 'ratePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'max', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_RateOutOfRange',
  },
  {
    type: 'error',
    inputs: [
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'owner', internalType: 'address', type: 'address' },
    ],
    name: 'StreamPay_RecipientNotProvider',
  },
  {
    type: 'error',
    inputs: [
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'expected', internalType: 'uint8', type: 'uint8' },
    ],
    name: 'StreamPay_ServiceTypeMismatch',
  },
  {
    type: 'error',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'end', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_StreamEnded',
  },
  {
    type: 'error',
    inputs: [
      { name: 'count', internalType: 'uint256', type: 'uint256' },
      { name: 'max', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_TooManyIds',
  },
  {
    type: 'error',
    inputs: [
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_TransferFailed',
  },
  {
    type: 'error',
    inputs: [{ name: 'value', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_UnexpectedValue',
  },
  {
    type: 'error',
    inputs: [{ name: 'serviceType', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_UnknownServiceType',
  },
  {
    type: 'error',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_UnknownStream',
  },
  { type: 'error', inputs: [], name: 'StreamPay_ZeroRecipient' },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'account',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'asset',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'amount',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'CreditAdded',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'account',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'asset',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      { name: 'to', internalType: 'address', type: 'address', indexed: false },
      {
        name: 'amount',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'CreditWithdrawn',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      { name: 'by', internalType: 'address', type: 'address', indexed: true },
      {
        name: 'paid',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'refunded',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'StreamCancelled',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'payer',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'payee',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'asset',
        internalType: 'address',
        type: 'address',
        indexed: false,
      },
      {
        name: 'ratePerSecond',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'start',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      { name: 'end', internalType: 'uint256', type: 'uint256', indexed: false },
      {
        name: 'providerId',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'serviceType',
        internalType: 'uint8',
        type: 'uint8',
        indexed: false,
      },
    ],
    name: 'StreamCreated',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'newId',
        internalType: 'uint256',
        type: 'uint256',
        indexed: true,
      },
      {
        name: 'paid',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'moved',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'refunded',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'StreamRedirected',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'paid',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'refunded',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'StreamSettled',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      { name: 'by', internalType: 'address', type: 'address', indexed: true },
      {
        name: 'amount',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      { name: 'end', internalType: 'uint256', type: 'uint256', indexed: false },
    ],
    name: 'StreamToppedUp',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'accrued',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'reward',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      { name: 'completed', internalType: 'bool', type: 'bool', indexed: false },
    ],
    name: 'StreamUpdated',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256', indexed: true },
      {
        name: 'payee',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'amount',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'StreamWithdrawn',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'authorizationNonce',
    outputs: [{ name: 'nonce', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'pure',
  },
  {
    type: 'function',
    inputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    name: 'batchUpdateStreams',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'cancelStream',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'createStream',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'createStream',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'payable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'createStreamWithAuthorization',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'duration', internalType: 'uint256', type: 'uint256' },
      { name: 'serviceType', internalType: 'uint8', type: 'uint8' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'v', internalType: 'uint8', type: 'uint8' },
      { name: 'r', internalType: 'bytes32', type: 'bytes32' },
      { name: 's', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'createStreamWithPermit',
    outputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'account', internalType: 'address', type: 'address' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'creditOf',
    outputs: [{ name: 'amount', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'getCurrentBalance',
    outputs: [{ name: 'accrued', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'getProtocolStats',
    outputs: [
      { name: 'streamsCreated', internalType: 'uint256', type: 'uint256' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'getStream',
    outputs: [
      {
        name: 'stream',
        internalType: 'struct IStreamPay.Stream',
        type: 'tuple',
        components: [
          { name: 'payer', internalType: 'address', type: 'address' },
          { name: 'payee', internalType: 'address', type: 'address' },
          { name: 'asset', internalType: 'address', type: 'address' },
          { name: 'ratePerSecond', internalType: 'uint64', type: 'uint64' },
          { name: 'start', internalType: 'uint32', type: 'uint32' },
          { name: 'end', internalType: 'uint32', type: 'uint32' },
          { name: 'lastPaid', internalType: 'uint32', type: 'uint32' },
          { name: 'providerId', internalType: 'uint32', type: 'uint32' },
        ],
      },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'ids', internalType: 'uint256[]', type: 'uint256[]' }],
    name: 'previewBatchUpdate',
    outputs: [
      {
        name: 'previews',
        internalType: 'struct IStreamPay.UpdatePreview[]',
        type: 'tuple[]',
        components: [
          { name: 'accrued', internalType: 'uint256', type: 'uint256' },
          { name: 'reward', internalType: 'uint256', type: 'uint256' },
          { name: 'completes', internalType: 'bool', type: 'bool' },
        ],
      },
      { name: 'nativeReward', internalType: 'uint256', type: 'uint256' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'redirectStream',
    outputs: [{ name: 'newId', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'owed', internalType: 'uint256', type: 'uint256' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'settleStream',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'owed', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'settlementDigest',
    outputs: [{ name: 'digest', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'statusOf',
    outputs: [
      { name: 'status', internalType: 'enum IStreamPay.Status', type: 'uint8' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'recipient', internalType: 'address', type: 'address' },
    ],
    name: 'topUpStream',
    outputs: [],
    stateMutability: 'payable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'id', internalType: 'uint256', type: 'uint256' },
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'topUpStream',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'asset', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
    ],
    name: 'withdrawCredit',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'withdrawFromStream',
    outputs: [],
    stateMutability: 'nonpayable',
  },
] as const
