//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// ComputeRegistry
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const computeRegistryAbi = [
  {
    type: 'constructor',
    inputs: [
      { name: 'streamPay_', internalType: 'address', type: 'address' },
      { name: 'paymentChannel_', internalType: 'address', type: 'address' },
    ],
    stateMutability: 'nonpayable',
  },
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
    inputs: [],
    name: 'paymentChannel',
    outputs: [{ name: '', internalType: 'address', type: 'address' }],
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
    inputs: [],
    name: 'streamPay',
    outputs: [{ name: '', internalType: 'address', type: 'address' }],
    stateMutability: 'view',
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
// MockToken
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const mockTokenAbi = [
  {
    type: 'constructor',
    inputs: [
      { name: 'name', internalType: 'string', type: 'string' },
      { name: 'symbol', internalType: 'string', type: 'string' },
      { name: 'decimals_', internalType: 'uint8', type: 'uint8' },
    ],
    stateMutability: 'nonpayable',
  },
  { type: 'error', inputs: [], name: 'ECDSAInvalidSignature' },
  {
    type: 'error',
    inputs: [{ name: 'length', internalType: 'uint256', type: 'uint256' }],
    name: 'ECDSAInvalidSignatureLength',
  },
  {
    type: 'error',
    inputs: [{ name: 's', internalType: 'bytes32', type: 'bytes32' }],
    name: 'ECDSAInvalidSignatureS',
  },
  {
    type: 'error',
    inputs: [
      { name: 'spender', internalType: 'address', type: 'address' },
      { name: 'allowance', internalType: 'uint256', type: 'uint256' },
      { name: 'needed', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'ERC20InsufficientAllowance',
  },
  {
    type: 'error',
    inputs: [
      { name: 'sender', internalType: 'address', type: 'address' },
      { name: 'balance', internalType: 'uint256', type: 'uint256' },
      { name: 'needed', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'ERC20InsufficientBalance',
  },
  {
    type: 'error',
    inputs: [{ name: 'approver', internalType: 'address', type: 'address' }],
    name: 'ERC20InvalidApprover',
  },
  {
    type: 'error',
    inputs: [{ name: 'receiver', internalType: 'address', type: 'address' }],
    name: 'ERC20InvalidReceiver',
  },
  {
    type: 'error',
    inputs: [{ name: 'sender', internalType: 'address', type: 'address' }],
    name: 'ERC20InvalidSender',
  },
  {
    type: 'error',
    inputs: [{ name: 'spender', internalType: 'address', type: 'address' }],
    name: 'ERC20InvalidSpender',
  },
  {
    type: 'error',
    inputs: [{ name: 'deadline', internalType: 'uint256', type: 'uint256' }],
    name: 'ERC2612ExpiredSignature',
  },
  {
    type: 'error',
    inputs: [
      { name: 'signer', internalType: 'address', type: 'address' },
      { name: 'owner', internalType: 'address', type: 'address' },
    ],
    name: 'ERC2612InvalidSigner',
  },
  {
    type: 'error',
    inputs: [
      { name: 'account', internalType: 'address', type: 'address' },
      { name: 'currentNonce', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'InvalidAccountNonce',
  },
  { type: 'error', inputs: [], name: 'InvalidShortString' },
  {
    type: 'error',
    inputs: [{ name: 'validBefore', internalType: 'uint256', type: 'uint256' }],
    name: 'MockToken_AuthorizationExpired',
  },
  {
    type: 'error',
    inputs: [{ name: 'validAfter', internalType: 'uint256', type: 'uint256' }],
    name: 'MockToken_AuthorizationNotYetValid',
  },
  {
    type: 'error',
    inputs: [
      { name: 'authorizer', internalType: 'address', type: 'address' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'MockToken_AuthorizationUsedOrCanceled',
  },
  {
    type: 'error',
    inputs: [
      { name: 'authorizer', internalType: 'address', type: 'address' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'MockToken_BadAuthorizationSignature',
  },
  {
    type: 'error',
    inputs: [
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
    ],
    name: 'MockToken_CallerNotReceiver',
  },
  {
    type: 'error',
    inputs: [{ name: 'str', internalType: 'string', type: 'string' }],
    name: 'StringTooLong',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'owner',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'spender',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'value',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'Approval',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'authorizer',
        internalType: 'address',
        type: 'address',
        indexed: true,
      },
      {
        name: 'nonce',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
    ],
    name: 'AuthorizationUsed',
  },
  { type: 'event', anonymous: false, inputs: [], name: 'EIP712DomainChanged' },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      { name: 'from', internalType: 'address', type: 'address', indexed: true },
      { name: 'to', internalType: 'address', type: 'address', indexed: true },
      {
        name: 'value',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'Transfer',
  },
  {
    type: 'function',
    inputs: [],
    name: 'DOMAIN_SEPARATOR',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'RECEIVE_WITH_AUTHORIZATION_TYPEHASH',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'TRANSFER_WITH_AUTHORIZATION_TYPEHASH',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'owner', internalType: 'address', type: 'address' },
      { name: 'spender', internalType: 'address', type: 'address' },
    ],
    name: 'allowance',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'spender', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'approve',
    outputs: [{ name: '', internalType: 'bool', type: 'bool' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'authorizer', internalType: 'address', type: 'address' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'authorizationState',
    outputs: [{ name: 'used', internalType: 'bool', type: 'bool' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'account', internalType: 'address', type: 'address' }],
    name: 'balanceOf',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'decimals',
    outputs: [{ name: '', internalType: 'uint8', type: 'uint8' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'eip712Domain',
    outputs: [
      { name: 'fields', internalType: 'bytes1', type: 'bytes1' },
      { name: 'name', internalType: 'string', type: 'string' },
      { name: 'version', internalType: 'string', type: 'string' },
      { name: 'chainId', internalType: 'uint256', type: 'uint256' },
      { name: 'verifyingContract', internalType: 'address', type: 'address' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'extensions', internalType: 'uint256[]', type: 'uint256[]' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'mint',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [],
    name: 'name',
    outputs: [{ name: '', internalType: 'string', type: 'string' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'owner', internalType: 'address', type: 'address' }],
    name: 'nonces',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'owner', internalType: 'address', type: 'address' },
      { name: 'spender', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'v', internalType: 'uint8', type: 'uint8' },
      { name: 'r', internalType: 'bytes32', type: 'bytes32' },
      { name: 's', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'permit',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'receiveWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'v', internalType: 'uint8', type: 'uint8' },
      { name: 'r', internalType: 'bytes32', type: 'bytes32' },
      { name: 's', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'receiveWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [],
    name: 'symbol',
    outputs: [{ name: '', internalType: 'string', type: 'string' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'totalSupply',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'transfer',
    outputs: [{ name: '', internalType: 'bool', type: 'bool' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'transferFrom',
    outputs: [{ name: '', internalType: 'bool', type: 'bool' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'transferWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'v', internalType: 'uint8', type: 'uint8' },
      { name: 'r', internalType: 'bytes32', type: 'bytes32' },
      { name: 's', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'transferWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [],
    name: 'version',
    outputs: [{ name: '', internalType: 'string', type: 'string' }],
    stateMutability: 'pure',
  },
] as const

//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// PaymentChannel
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const paymentChannelAbi = [
  {
    type: 'constructor',
    inputs: [
      {
        name: 'registry_',
        internalType: 'contract IComputeRegistry',
        type: 'address',
      },
    ],
    stateMutability: 'nonpayable',
  },
  { type: 'error', inputs: [], name: 'InvalidShortString' },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint256', type: 'uint256' },
      { name: 'deposit', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_AmountExceedsDeposit',
  },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint256', type: 'uint256' },
      { name: 'settled', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_AmountNotIncreasing',
  },
  {
    type: 'error',
    inputs: [
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'timestamp', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_AuthorizationExpired',
  },
  {
    type: 'error',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'PaymentChannel_ChannelAlreadyExists',
  },
  {
    type: 'error',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'PaymentChannel_ChannelFinalized',
  },
  {
    type: 'error',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'PaymentChannel_ChannelNotFound',
  },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'withdrawableAt', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_CloseNotReady',
  },
  {
    type: 'error',
    inputs: [
      { name: 'delivered', internalType: 'uint256', type: 'uint256' },
      { name: 'asked', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_DeliveredLess',
  },
  {
    type: 'error',
    inputs: [
      { name: 'deposit', internalType: 'uint256', type: 'uint256' },
      { name: 'max', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_DepositOverflow',
  },
  {
    type: 'error',
    inputs: [
      { name: 'left', internalType: 'uint256', type: 'uint256' },
      { name: 'required', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_GasTooLow',
  },
  {
    type: 'error',
    inputs: [
      { name: 'signer', internalType: 'address', type: 'address' },
      { name: 'digest', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'PaymentChannel_InvalidSignature',
  },
  { type: 'error', inputs: [], name: 'PaymentChannel_NativeCoin' },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_NonceAlreadyUsed',
  },
  {
    type: 'error',
    inputs: [
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'expected', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'PaymentChannel_NonceMismatch',
  },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'payee', internalType: 'address', type: 'address' },
    ],
    name: 'PaymentChannel_NotPayee',
  },
  {
    type: 'error',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'caller', internalType: 'address', type: 'address' },
      { name: 'payer', internalType: 'address', type: 'address' },
    ],
    name: 'PaymentChannel_NotPayer',
  },
  {
    type: 'error',
    inputs: [
      { name: 'account', internalType: 'address', type: 'address' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'PaymentChannel_NothingCredited',
  },
  {
    type: 'error',
    inputs: [
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
    ],
    name: 'PaymentChannel_ProviderMismatch',
  },
  { type: 'error', inputs: [], name: 'PaymentChannel_TooManyParties' },
  {
    type: 'error',
    inputs: [
      { name: 'to', internalType: 'address', type: 'address' },
      { name: 'amount', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_TransferFailed',
  },
  {
    type: 'error',
    inputs: [
      { name: 'value', internalType: 'uint256', type: 'uint256' },
      { name: 'expected', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'PaymentChannel_ValueMismatch',
  },
  { type: 'error', inputs: [], name: 'PaymentChannel_ZeroDeposit' },
  { type: 'error', inputs: [], name: 'PaymentChannel_ZeroPayee' },
  { type: 'error', inputs: [], name: 'PaymentChannel_ZeroRecipient' },
  { type: 'error', inputs: [], name: 'ReentrancyGuardReentrantCall' },
  {
    type: 'error',
    inputs: [{ name: 'token', internalType: 'address', type: 'address' }],
    name: 'SafeERC20FailedOperation',
  },
  {
    type: 'error',
    inputs: [{ name: 'str', internalType: 'string', type: 'string' }],
    name: 'StringTooLong',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
      {
        name: 'paid',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'settled',
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
    name: 'ChannelClosed',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
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
        name: 'token',
        internalType: 'address',
        type: 'address',
        indexed: false,
      },
      {
        name: 'authorizedSigner',
        internalType: 'address',
        type: 'address',
        indexed: false,
      },
      {
        name: 'salt',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: false,
      },
      {
        name: 'deposit',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'ChannelOpened',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
      {
        name: 'paid',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'settled',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'ChannelSettled',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
      { name: 'by', internalType: 'address', type: 'address', indexed: true },
      {
        name: 'amount',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
      {
        name: 'deposit',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'ChannelToppedUp',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
    ],
    name: 'CloseRequestCancelled',
  },
  {
    type: 'event',
    anonymous: false,
    inputs: [
      {
        name: 'channelId',
        internalType: 'bytes32',
        type: 'bytes32',
        indexed: true,
      },
      {
        name: 'withdrawableAt',
        internalType: 'uint256',
        type: 'uint256',
        indexed: false,
      },
    ],
    name: 'CloseRequested',
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
  { type: 'event', anonymous: false, inputs: [], name: 'EIP712DomainChanged' },
  {
    type: 'function',
    inputs: [],
    name: 'CLOSE_GRACE_PERIOD',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'MAX_DEPOSIT',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'PERMIT2',
    outputs: [{ name: '', internalType: 'address', type: 'address' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'close',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      {
        name: 'terms',
        internalType: 'struct IPaymentChannel.Terms',
        type: 'tuple',
        components: [
          { name: 'payer', internalType: 'address', type: 'address' },
          { name: 'payee', internalType: 'address', type: 'address' },
          { name: 'token', internalType: 'address', type: 'address' },
          { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
          {
            name: 'authorizedSigner',
            internalType: 'address',
            type: 'address',
          },
        ],
      },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'close',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'closeDigest',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'payeeSignature', internalType: 'bytes', type: 'bytes' },
      { name: 'voucherSignature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'closeWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payer', internalType: 'address', type: 'address' },
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'authorizedSigner', internalType: 'address', type: 'address' },
    ],
    name: 'computeChannelId',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'account', internalType: 'address', type: 'address' },
      { name: 'asset', internalType: 'address', type: 'address' },
    ],
    name: 'creditOf',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'eip712Domain',
    outputs: [
      { name: 'fields', internalType: 'bytes1', type: 'bytes1' },
      { name: 'name', internalType: 'string', type: 'string' },
      { name: 'version', internalType: 'string', type: 'string' },
      { name: 'chainId', internalType: 'uint256', type: 'uint256' },
      { name: 'verifyingContract', internalType: 'address', type: 'address' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'extensions', internalType: 'uint256[]', type: 'uint256[]' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'getChannel',
    outputs: [
      {
        name: '',
        internalType: 'struct IPaymentChannel.Channel',
        type: 'tuple',
        components: [
          { name: 'payer', internalType: 'address', type: 'address' },
          { name: 'payee', internalType: 'address', type: 'address' },
          { name: 'token', internalType: 'address', type: 'address' },
          {
            name: 'authorizedSigner',
            internalType: 'address',
            type: 'address',
          },
          { name: 'deposit', internalType: 'uint128', type: 'uint128' },
          { name: 'settled', internalType: 'uint128', type: 'uint128' },
          { name: 'closeRequestedAt', internalType: 'uint64', type: 'uint64' },
          { name: 'finalized', internalType: 'bool', type: 'bool' },
        ],
      },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'isNonceUsed',
    outputs: [{ name: '', internalType: 'bool', type: 'bool' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
      { name: 'deposit', internalType: 'uint128', type: 'uint128' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'authorizedSigner', internalType: 'address', type: 'address' },
    ],
    name: 'open',
    outputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'payable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'authorizedSigner', internalType: 'address', type: 'address' },
    ],
    name: 'openNonce',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'pure',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
      { name: 'deposit', internalType: 'uint128', type: 'uint128' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'authorizedSigner', internalType: 'address', type: 'address' },
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'openWithAuthorization',
    outputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'payee', internalType: 'address', type: 'address' },
      { name: 'token', internalType: 'address', type: 'address' },
      { name: 'deposit', internalType: 'uint128', type: 'uint128' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'authorizedSigner', internalType: 'address', type: 'address' },
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'openWithPermit2',
    outputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [],
    name: 'registry',
    outputs: [
      { name: '', internalType: 'contract IComputeRegistry', type: 'address' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'requestClose',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'settle',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      {
        name: 'terms',
        internalType: 'struct IPaymentChannel.Terms',
        type: 'tuple',
        components: [
          { name: 'payer', internalType: 'address', type: 'address' },
          { name: 'payee', internalType: 'address', type: 'address' },
          { name: 'token', internalType: 'address', type: 'address' },
          { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
          {
            name: 'authorizedSigner',
            internalType: 'address',
            type: 'address',
          },
        ],
      },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'settle',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'settleDigest',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'payeeSignature', internalType: 'bytes', type: 'bytes' },
      { name: 'voucherSignature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'settleWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'statusOf',
    outputs: [
      { name: '', internalType: 'enum IPaymentChannel.Status', type: 'uint8' },
    ],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'additionalDeposit', internalType: 'uint128', type: 'uint128' },
    ],
    name: 'topUp',
    outputs: [],
    stateMutability: 'payable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'additionalDeposit', internalType: 'uint128', type: 'uint128' },
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'topUpSalt', internalType: 'bytes32', type: 'bytes32' },
    ],
    name: 'topUpNonce',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'pure',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'additionalDeposit', internalType: 'uint128', type: 'uint128' },
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'topUpSalt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'validAfter', internalType: 'uint256', type: 'uint256' },
      { name: 'validBefore', internalType: 'uint256', type: 'uint256' },
      { name: 'nonce', internalType: 'bytes32', type: 'bytes32' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'topUpWithAuthorization',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'additionalDeposit', internalType: 'uint128', type: 'uint128' },
      { name: 'from', internalType: 'address', type: 'address' },
      { name: 'nonce', internalType: 'uint256', type: 'uint256' },
      { name: 'deadline', internalType: 'uint256', type: 'uint256' },
      { name: 'signature', internalType: 'bytes', type: 'bytes' },
    ],
    name: 'topUpWithPermit2',
    outputs: [],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [
      { name: 'channelId', internalType: 'bytes32', type: 'bytes32' },
      { name: 'cumulativeAmount', internalType: 'uint128', type: 'uint128' },
    ],
    name: 'voucherDigest',
    outputs: [{ name: '', internalType: 'bytes32', type: 'bytes32' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [{ name: 'channelId', internalType: 'bytes32', type: 'bytes32' }],
    name: 'withdraw',
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
] as const

//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// StreamPay
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

export const streamPayAbi = [
  {
    type: 'constructor',
    inputs: [
      {
        name: 'registry_',
        internalType: 'contract IComputeRegistry',
        type: 'address',
      },
    ],
    stateMutability: 'nonpayable',
  },
  { type: 'error', inputs: [], name: 'InvalidShortString' },
  { type: 'error', inputs: [], name: 'ReentrancyGuardReentrantCall' },
  {
    type: 'error',
    inputs: [{ name: 'token', internalType: 'address', type: 'address' }],
    name: 'SafeERC20FailedOperation',
  },
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
    inputs: [{ name: 'asset', internalType: 'address', type: 'address' }],
    name: 'StreamPay_AssetNotContract',
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
    inputs: [{ name: 'id', internalType: 'uint256', type: 'uint256' }],
    name: 'StreamPay_NativeStream',
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
    inputs: [
      { name: 'pricePerSecond', internalType: 'uint256', type: 'uint256' },
      { name: 'maxPricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'StreamPay_PriceAboveMax',
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
    type: 'error',
    inputs: [{ name: 'str', internalType: 'string', type: 'string' }],
    name: 'StringTooLong',
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
  { type: 'event', anonymous: false, inputs: [], name: 'EIP712DomainChanged' },
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
    inputs: [],
    name: 'KEEPER_BASIS_POINTS',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'MAX_BATCH',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
  },
  {
    type: 'function',
    inputs: [],
    name: 'MAX_DURATION',
    outputs: [{ name: '', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'view',
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
    inputs: [],
    name: 'eip712Domain',
    outputs: [
      { name: 'fields', internalType: 'bytes1', type: 'bytes1' },
      { name: 'name', internalType: 'string', type: 'string' },
      { name: 'version', internalType: 'string', type: 'string' },
      { name: 'chainId', internalType: 'uint256', type: 'uint256' },
      { name: 'verifyingContract', internalType: 'address', type: 'address' },
      { name: 'salt', internalType: 'bytes32', type: 'bytes32' },
      { name: 'extensions', internalType: 'uint256[]', type: 'uint256[]' },
    ],
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
      { name: 'recipient', internalType: 'address', type: 'address' },
      { name: 'providerId', internalType: 'uint256', type: 'uint256' },
      { name: 'maxPricePerSecond', internalType: 'uint256', type: 'uint256' },
    ],
    name: 'redirectStream',
    outputs: [{ name: 'newId', internalType: 'uint256', type: 'uint256' }],
    stateMutability: 'nonpayable',
  },
  {
    type: 'function',
    inputs: [],
    name: 'registry',
    outputs: [
      { name: '', internalType: 'contract IComputeRegistry', type: 'address' },
    ],
    stateMutability: 'view',
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
  { type: 'receive', stateMutability: 'payable' },
] as const

//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////
// NatSpec
//////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////////

/** What ComputeRegistry's functions, events and errors mean, by signature. */
export const computeRegistryManual = {
  'getActiveProviderIds()':
    'All active providers, in no particular order. For reading off chain; use the paged form when there are many.',
  'getActiveProviderIds(uint256,uint256)':
    'A page of the active providers. The order changes when one is switched off: read all pages at one block.',
  'getCheapestProvider(string)':
    'The cheapest active provider of a model in the native coin; the oldest among equals. Constant gas.',
  'getCheapestProvider(string,address)':
    'The same among offers in one ERC-20 (zero = native coin).',
  'getOffer(uint256)':
    'What `StreamPay` needs to open a stream, in one cheap read.',
  'getProvider(uint256)': 'Everything about one provider.',
  'getProviders(uint256[])':
    'The same for several providers, in the order asked.',
  'getProvidersByModel(string,address,uint256,uint256)':
    'The same among offers in one ERC-20 (zero = native coin).',
  'getProvidersByModel(string,uint256,uint256)':
    'Active providers of a model in the native coin, cheapest first, the older first among equals.',
  'getRegistryStats()': 'How many providers there are.',
  'getSigner(uint256)': 'The hot key of a provider.',
  'getWalletProviders(address,uint256,uint256)':
    'All providers a wallet ever registered, active or not, oldest first.',
  'paymentChannel()': 'The channel contract, fixed at deployment.',
  'recordCompletion(uint256,uint256)': 'Counts one payment.',
  'recordCompletions(uint256,uint256,uint256)':
    'Counts `count` payments that sum to `earned`; what a keeper batch uses.',
  'registerProvider(string,uint256,string,uint8)':
    'Puts up an offer priced in the native coin. The caller becomes its owner.',
  'registerProvider(string,uint256,string,uint8,address)':
    'Puts up an offer priced in an ERC-20 (zero = native coin). The caller becomes its owner.',
  'setProviderSigner(uint256,address)':
    "Appoints the hot key of a provider's machine.",
  'streamPay()': 'The stream contract, fixed at deployment.',
  'updateProvider(uint256,uint256,string,bool)':
    'Changes price, endpoint and whether the provider takes new streams.',
  'CompletionRecorded(uint256,uint256,uint256)':
    'A payment contract paid or credited the provider.',
  'ProviderRegistered(uint256,address,bytes32,string,address,uint256,string,uint8)':
    'A provider put up an offer.',
  'ProviderSignerSet(uint256,address)':
    'An owner appointed, changed or (zero) removed its hot key.',
  'ProviderUpdated(uint256,uint256,string,bool)':
    'An owner changed its offer, switched it off or on again.',
  'ComputeRegistry_AssetNotContract(address)':
    'Thrown when an asset has no code.',
  'ComputeRegistry_EndpointLength(uint256)':
    'Thrown when `length` of an endpoint is not in 1..256 bytes.',
  'ComputeRegistry_ModelLength(uint256)':
    'Thrown when `length` of a model name is not in 1..64 bytes.',
  'ComputeRegistry_NotOwner(uint256,address,address)':
    'Thrown when `caller` is not the owner of provider `id`.',
  'ComputeRegistry_NotPaymentContract(address)':
    'Thrown when `caller` is not one of the two payment contracts.',
  'ComputeRegistry_PriceOutOfRange(uint256)':
    'Thrown when the price per second is zero or above type(uint64).max.',
  'ComputeRegistry_UnknownProvider(uint256)':
    'Thrown when `id` was never registered.',
  'ComputeRegistry_UnknownServiceType(uint256)':
    'Thrown when the service type is above 3.',
} as const

/** What StreamPay's functions, events and errors mean, by signature. */
export const streamPayManual = {
  'KEEPER_BASIS_POINTS()': "A keeper's part of what its update accrued.",
  'MAX_BATCH()': 'The most ids in a batch.',
  'MAX_DURATION()': 'The longest a stream may last from now, in seconds.',
  'authorizationNonce(address,address,uint256,uint8,uint256,bytes32)':
    'The nonce that binds an EIP-3009 authorization to the terms of a stream.',
  'batchUpdateStreams(uint256[])':
    'Credits each payee what accrued, less 10 basis points (rounded down) for the caller; a stream past its end is completed and gone.',
  'cancelStream(uint256)':
    "Ends a stream now: what accrued is the payee's, the rest the payer's.",
  'createStream(address,uint256,address,uint256,uint8,uint256)':
    "The same in an ERC-20, from the caller's allowance.",
  'createStream(address,uint256,uint8,uint256)':
    'Opens a stream of the sent native coin to `recipient`, beginning now.',
  'createStreamWithAuthorization(address,address,uint256,address,uint256,uint8,uint256,uint256,uint256,bytes32,bytes)':
    "Opens a stream with the payer's EIP-3009 authorization, sent by anyone: the payer needs no gas.",
  'createStreamWithPermit(address,uint256,address,uint256,uint8,uint256,uint256,uint8,bytes32,bytes32)':
    "The same with the caller's EIP-2612 permit instead of an earlier approval.",
  'creditOf(address,address)': 'What an account can collect.',
  'getCurrentBalance(uint256)':
    'What accrued and was not yet paid or credited; 0 when the id is unknown or the stream is closed.',
  'getProtocolStats()': 'How many streams were ever opened.',
  'getStream(uint256)':
    "A stream's terms and state; all zero when the id is unknown or the stream is closed.",
  'previewBatchUpdate(uint256[])':
    'What {batchUpdateStreams} would do in this block, so that a keeper needs one read.',
  'redirectStream(uint256,address,uint256)':
    "Failover in one transaction: ends a stream now and opens one to `recipient` with what is left, at the provider's price, which must not be above the old rate. Without a provider id the old rate is kept.",
  'redirectStream(uint256,address,uint256,uint256)':
    "The same to a provider that may be dearer, up to `maxPricePerSecond`. The limit is the payer's protection against a price that is raised just before the redirect lands.",
  'registry()':
    'Where offers are read and completions recorded, fixed at deployment.',
  'settleStream(uint256,uint256,bytes)':
    "Ends a stream paying `owed` in total since its start, as signed by the payee or the provider's signer.",
  'settlementDigest(uint256,uint256)':
    'The EIP-712 digest that a seller signs to settle a stream.',
  'statusOf(uint256)': 'Where a stream is in its life.',
  'topUpStream(uint256,address,address)':
    'Moves the end of a native stream by as many seconds as the sent coin pays for.',
  'topUpStream(uint256,address,address,uint256)':
    "The same for an ERC-20 stream, from the caller's allowance; takes whole seconds only.",
  'withdrawCredit(address,address)':
    "Sends the caller's whole credit in an asset to any address.",
  'withdrawFromStream(uint256)':
    'Pays the payee everything that accrued; also after the end, when it closes the stream.',
  'CreditAdded(address,address,uint256)': 'Money was set aside for somebody.',
  'CreditWithdrawn(address,address,address,uint256)':
    'Somebody collected a credit.',
  'StreamCancelled(uint256,address,uint256,uint256)':
    'One of the parties ended a stream.',
  'StreamCreated(uint256,address,address,address,uint256,uint256,uint256,uint256,uint8)':
    'A stream began.',
  'StreamRedirected(uint256,uint256,uint256,uint256,uint256)':
    'The payer moved the rest of a stream to another payee.',
  'StreamSettled(uint256,uint256,uint256)':
    "The payer ended a stream with the seller's signature.",
  'StreamToppedUp(uint256,address,uint256,uint256)': 'A stream got more time.',
  'StreamUpdated(uint256,uint256,uint256,bool)': 'A keeper credited a payee.',
  'StreamWithdrawn(uint256,address,uint256)':
    'The payee took what had accrued.',
  'ReentrancyGuardReentrantCall()': 'Unauthorized reentrant call.',
  'SafeERC20FailedOperation(address)':
    'An operation with an ERC-20 token failed.',
  'StreamPay_AssetMismatch(address,address)':
    "Thrown when the provider's price is in another asset.",
  'StreamPay_AssetNotContract(address)': 'Thrown when an asset has no code.',
  'StreamPay_BadSettlementSignature(uint256,uint256)':
    "Thrown when neither the payee nor the provider's signer signed this settlement.",
  'StreamPay_DeliveredLess(uint256,uint256)':
    'Thrown when a token delivered less than it was asked for.',
  'StreamPay_DepositTooSmall(uint256,uint256)':
    'Thrown when `amount` does not pay for one raw unit a second, or for one second: `minimum` would.',
  'StreamPay_DirectTransfer()':
    'Thrown when native coin is sent without calling a function.',
  'StreamPay_DurationOutOfRange(uint256,uint256)':
    'Thrown when a stream would last `duration` seconds, which is not in 1..`max`.',
  'StreamPay_NativeStream(uint256)':
    'Thrown when tokens are offered to top up a stream in the native coin.',
  'StreamPay_NotParty(uint256,address)':
    'Thrown when `caller` is neither payer nor payee of stream `id`.',
  'StreamPay_NotPayee(uint256,address,address)':
    'Thrown when `caller` is not the payee of stream `id`.',
  'StreamPay_NotPayer(uint256,address,address)':
    'Thrown when `caller` is not the payer of stream `id`.',
  'StreamPay_NothingCredited(address,address)':
    'Thrown when `account` has no credit in `asset`.',
  'StreamPay_NothingToWithdraw(uint256)':
    'Thrown when nothing accrued since the payee was last paid.',
  'StreamPay_PartiesMismatch(uint256,address,address)':
    'Thrown when stream `id` is between `payer` and `recipient`, not between those the caller named.',
  'StreamPay_PriceAboveMax(uint256,uint256)':
    'Thrown when a redirect would cost more per second than the payer allowed.',
  'StreamPay_ProviderInactive(uint256)':
    'Thrown when the provider takes no new streams.',
  'StreamPay_RateBelowPrice(uint256,uint256)':
    "Thrown when the deposit makes a rate below the provider's price.",
  'StreamPay_RateOutOfRange(uint256,uint256)':
    'Thrown when a deposit makes a rate above `max`.',
  'StreamPay_RecipientNotProvider(address,address)':
    "Thrown when `recipient` is not the provider's `owner`.",
  'StreamPay_ServiceTypeMismatch(uint8,uint8)':
    'Thrown when the provider serves something else.',
  'StreamPay_StreamEnded(uint256,uint256)':
    'Thrown when a stream that is past its `end` is topped up.',
  'StreamPay_TooManyIds(uint256,uint256)':
    'Thrown when a batch has more than `max` ids.',
  'StreamPay_TransferFailed(address,uint256)':
    'Thrown when a credit cannot be sent to `to`; name another address.',
  'StreamPay_UnexpectedValue(uint256)':
    'Thrown when native coin is sent to top up an ERC-20 stream.',
  'StreamPay_UnknownServiceType(uint256)':
    'Thrown when the service type is above 3.',
  'StreamPay_UnknownStream(uint256)':
    'Thrown when stream `id` never existed or is closed.',
  'StreamPay_ZeroRecipient()':
    'Thrown when the recipient of a stream or of a credit is the zero address.',
} as const

/** What PaymentChannel's functions, events and errors mean, by signature. */
export const paymentChannelManual = {
  'CLOSE_GRACE_PERIOD()':
    "Seconds between a close request and the payer's withdrawal.",
  'MAX_DEPOSIT()': 'Largest deposit of one channel, raw units.',
  'PERMIT2()': 'The Permit2 deployment whose signatures are accepted.',
  'close((address,address,address,bytes32,address),uint128,bytes,uint256)':
    "`close` of the channel with these terms, recorded as a completion of the payee's provider; beyond the draft, signing nothing new.",
  'close(bytes32,uint128,bytes)':
    'Pays the payee what a last voucher adds, refunds the rest to the payer and closes for ever.',
  'closeDigest(bytes32,uint128,uint256,uint256)':
    'What the payee signs for `closeWithAuthorization`.',
  'closeWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)':
    "`close` authorized by the payee's signature, sent by anyone: the payee needs no gas.",
  'computeChannelId(address,address,address,bytes32,address)':
    'keccak256(abi.encode(payer, payee, token, salt, authorizedSigner, this contract, chain id)).',
  'creditOf(address,address)': 'What an account may collect in an asset.',
  'getChannel(bytes32)':
    "The channel's terms and state; all zero when unknown.",
  'isNonceUsed(bytes32,uint256)':
    "Whether a payee's authorization nonce was used for this channel.",
  'open(address,address,uint128,bytes32,address)':
    "Opens a channel with the caller's money; the caller is the payer.",
  'openNonce(address,address,address,bytes32,address)':
    'The EIP-3009 nonce of `openWithAuthorization`.',
  'openWithAuthorization(address,address,uint128,bytes32,address,address,uint256,uint256,bytes32,bytes)':
    "Opens a channel with `from`'s EIP-3009 authorization, sent by anyone: the payer needs no gas.",
  'openWithPermit2(address,address,uint128,bytes32,address,address,uint256,uint256,bytes)':
    "Opens a channel with `from`'s Permit2 signature, sent by anyone: the payer needs no gas.",
  'registry()': 'Where completions of providers are recorded.',
  'requestClose(bytes32)':
    'Starts the grace period after which the payer may withdraw; the payee can settle meanwhile.',
  'settle((address,address,address,bytes32,address),uint128,bytes,uint256)':
    "`settle` of the channel with these terms, recorded as a completion of the payee's provider; beyond the draft, signing nothing new.",
  'settle(bytes32,uint128,bytes)':
    'Pays the payee what a voucher adds to what is settled; the channel stays open.',
  'settleDigest(bytes32,uint128,uint256,uint256)':
    'What the payee signs for `settleWithAuthorization`.',
  'settleWithAuthorization(bytes32,uint128,uint256,uint256,bytes,bytes)':
    "`settle` authorized by the payee's signature, sent by anyone: the payee needs no gas.",
  'statusOf(bytes32)': 'Where a channel stands.',
  'topUp(bytes32,uint128)':
    "Adds the payer's money and withdraws its pending close request.",
  'topUpNonce(bytes32,uint128,address,bytes32)':
    'The EIP-3009 nonce of `topUpWithAuthorization`.',
  'topUpWithAuthorization(bytes32,uint128,address,bytes32,uint256,uint256,bytes32,bytes)':
    "Adds `from`'s money by its EIP-3009 authorization, sent by anyone.",
  'topUpWithPermit2(bytes32,uint128,address,uint256,uint256,bytes)':
    "Adds `from`'s money by its Permit2 signature, sent by anyone; as `topUpWithAuthorization`.",
  'voucherDigest(bytes32,uint128)': 'What the authorized signer signs.',
  'withdraw(bytes32)':
    'Refunds the payer everything not settled and closes for ever.',
  'withdrawCredit(address,address)':
    "Pays the caller's credit in `asset` to any address.",
  'ChannelClosed(bytes32,uint256,uint256,uint256)':
    'A channel ended, for ever.',
  'ChannelOpened(bytes32,address,address,address,address,bytes32,uint256)':
    'A channel was opened.',
  'ChannelSettled(bytes32,uint256,uint256)':
    'The payee took what a voucher added.',
  'ChannelToppedUp(bytes32,address,uint256,uint256)':
    'A channel got more money.',
  'CloseRequestCancelled(bytes32)': 'The payer stays after all.',
  'CloseRequested(bytes32,uint256)': 'The payer wants to leave.',
  'CreditAdded(address,address,uint256)':
    'A payment was refused and is kept for its owner.',
  'CreditWithdrawn(address,address,address,uint256)': 'A credit was collected.',
  'ReentrancyGuardReentrantCall()': 'Unauthorized reentrant call.',
  'SafeERC20FailedOperation(address)':
    'An operation with an ERC-20 token failed.',
} as const
