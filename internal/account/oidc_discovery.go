package account

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// provider returns what the provider says about itself: what is known if it is fresh, otherwise it asks,
// one request at a time. What is known serves on while the provider is down.
func (o *OIDC) provider(ctx context.Context) (*provider, error) {
	known := o.found.Load()
	switch {
	case known == nil:
		select {
		case o.turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case o.config.Now().Sub(known.at) < discoveryLife:
		return known, nil
	default:
		select {
		case o.turn <- struct{}{}:
		default:
			return known, nil // another request is asking
		}
	}
	defer func() { <-o.turn }()
	return o.ask(ctx)
}

// ask asks the provider unless another request has just done so. The turn is held.
func (o *OIDC) ask(ctx context.Context) (*provider, error) {
	known, now := o.found.Load(), o.config.Now()
	if known != nil && now.Sub(known.at) < discoveryLife {
		return known, nil
	}
	if !now.Before(o.retryAt) {
		// A client that leaves must not make the provider look down to the others.
		fresh, err := o.discover(context.WithoutCancel(ctx))
		if err == nil {
			fresh.at, o.retryAt, o.fault = now, now, nil
			o.found.Store(fresh)
			return fresh, nil
		}
		o.retryAt, o.fault = o.config.Now().Add(discoveryPause), down(err)
	}
	if known != nil {
		return known, nil
	}
	return nil, o.fault
}

// discover reads the provider's description of itself.
func (o *OIDC) discover(ctx context.Context) (*provider, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, o.client), o.config.Issuer)
	if err != nil {
		return nil, err
	}
	var says struct {
		Authorise string   `json:"authorization_endpoint"`
		Token     string   `json:"token_endpoint"`
		Keys      string   `json:"jwks_uri"`
		Methods   []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss  bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&says); err != nil {
		return nil, err
	}
	for _, address := range []string{says.Authorise, says.Token, says.Keys} {
		if u, err := url.Parse(address); err != nil || !private(u, o.plain) {
			return nil, fmt.Errorf("%q: %w", address, errPlainHTTP)
		}
	}
	// Said, not tried: a try with the wrong one would spend the code.
	style := oauth2.AuthStyleInHeader
	if o.config.ClientSecret == "" || len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return &provider{keys: says.Keys, namesIss: says.NamesIss, oauth: oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, RedirectURL: o.config.RedirectURL, Scopes: o.config.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: says.Authorise, TokenURL: says.Token, AuthStyle: style},
	}}, nil
}
