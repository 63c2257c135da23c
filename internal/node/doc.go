// Package node lets the gateways on one database find each other: each says
// that it is there and which keys and external address it has, so that
// none runs beside another that would refuse its tokens.
package node
